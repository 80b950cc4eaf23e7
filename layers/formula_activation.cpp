#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/layers/activation.h>
#include <pade/layers/study/coefficient_scale.h>

namespace pade {
namespace {

/// The fewest digits that read back to the same number of that type.
template <class T>
std::string shortest(T value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

const Formula& formula_named(std::string_view name) {
  const Formula* formula = find_formula(name);
  check(formula != nullptr, "FormulaActivation: there is no formula named \"", name, "\"");
  return *formula;
}

}  // namespace

FormulaActivation::FormulaActivation(const Formula& formula, const std::vector<double>& constants,
                                     std::vector<bool> learns, DType dtype)
    : formula_(formula), learns_(std::move(learns)) {
  const size_t count = formula.constants.size();
  check(constants.size() == count && learns_.size() == count, "activation ", formula.name,
        ": expected ", count, " constants, got ", constants.size());
  constants_ = Tensor::from<double>(constants, {static_cast<int64_t>(count)}).to(dtype);
  constants_.requires_grad_(is_learned());
  if (is_learned())
    step_scale_ =
        Tensor::from<double>(step_scales({formula, constants}), constants_.shape()).to(dtype);
}

FormulaActivation::FormulaActivation(std::string_view name, const std::vector<double>& constants)
    : FormulaActivation(formula_named(name), constants,
                        std::vector<bool>(constants.size(), false)) {}

ReLU::ReLU() : FormulaActivation("relu") {}
LeakyReLU::LeakyReLU(double slope) : FormulaActivation("leaky_relu", {slope}) {}
ELU::ELU() : FormulaActivation("elu", {1}) {}
GELU::GELU() : FormulaActivation("gelu") {}
SiLU::SiLU() : FormulaActivation("swish", {1}) {}
Mish::Mish() : FormulaActivation("mish") {}
Softplus::Softplus() : FormulaActivation("softplus") {}
Tanh::Tanh() : FormulaActivation("tanh") {}
Sigmoid::Sigmoid() : FormulaActivation("sigmoid") {}

ActivationFunction FormulaActivation::as_function(int64_t group) const {
  check(group == 0, "activation ", formula_.name, ": has one group, asked for number ", group);
  return {formula_, constants_.detach().to(Device::cpu).to(DType::float64).to_vector<double>()};
}

bool FormulaActivation::is_learned() const {
  return std::find(learns_.begin(), learns_.end(), true) != learns_.end();
}

std::string FormulaActivation::spec() const {
  const std::vector<double> values = as_function().values();
  std::string text = formula_.name;
  bool learns_as_usual = true;
  for (size_t k = 0; k < values.size(); ++k) {
    const Formula::Constant& constant = formula_.constants[k];
    text += std::string(k == 0 ? ":" : ",") + constant.name + '=';
    text += constants_.dtype() == DType::float32 ? shortest(static_cast<float>(values[k]))
                                                 : shortest(values[k]);
    learns_as_usual = learns_as_usual && learns_[k] == constant.learns;
  }
  if (!learns_as_usual) text += is_learned() ? ",trainable=true" : ",trainable=false";
  return text;
}

std::string FormulaActivation::description() const {
  TextStream text;
  text << formula_.name;
  const std::vector<double> values = as_function().values();
  for (size_t k = 0; k < values.size(); ++k)
    text << (k == 0 ? "(" : ", ") << formula_.constants[k].name << '=' << values[k];
  if (!values.empty()) text << ')';
  return text.str();
}

void FormulaActivation::visit(ModuleVisitor& visitor) {
  if (!formula_.constants.empty())
    visitor.parameter("constants", constants_, ParameterRole::activation, &step_scale_);
}

std::optional<ElementwiseFunction> FormulaActivation::elementwise() {
  if (formula_.constants.empty())  // visitors do not see the tensor, nor convert it
    return ElementwiseFunction(formula_, std::vector<double>{});
  return ElementwiseFunction(formula_, constants_, learns_);
}

Tensor FormulaActivation::forward(const Tensor& x) {
  return formula_.name == std::string_view("identity") ? x : apply(*elementwise(), x);
}

}  // namespace pade
