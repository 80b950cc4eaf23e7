#include <algorithm>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/unary.h>
#include <pade/core/text_stream.h>
#include <pade/layers/activation.h>

namespace pade {
namespace {

/// The op of unary.h where it is cheaper than the formula.
Tensor (*op_named(std::string_view name))(const Tensor&) {
  if (name == "identity") return [](const Tensor& x) { return x; };
  if (name == "relu") return relu;
  return nullptr;
}

}  // namespace

FormulaActivation::FormulaActivation(const Formula& formula, const std::vector<double>& constants,
                                     std::vector<bool> learns, DType dtype)
    : formula_(formula), learns_(std::move(learns)) {
  const size_t count = formula.constants.size();
  check(constants.size() == count && learns_.size() == count, "activation ", formula.name,
        ": expected ", count, " constants, got ", constants.size());
  constants_ = Tensor::from<double>(constants, {static_cast<int64_t>(count)}).to(dtype);
  constants_.requires_grad_(std::find(learns_.begin(), learns_.end(), true) != learns_.end());
}

std::vector<double> FormulaActivation::constant_values() const {
  return constants_.detach().to(Device::cpu).to(DType::float64).to_vector<double>();
}

Derivatives FormulaActivation::derivatives(double x) const {
  return derivatives_of(formula_, x, constant_values());
}

std::string FormulaActivation::description() const {
  TextStream text;
  text << formula_.name;
  const std::vector<double> values = constant_values();
  for (size_t k = 0; k < values.size(); ++k)
    text << (k == 0 ? "(" : ", ") << formula_.constants[k].name << '=' << values[k];
  if (!values.empty()) text << ')';
  return text.str();
}

void FormulaActivation::visit(ModuleVisitor& visitor) {
  if (!formula_.constants.empty())
    visitor.parameter("constants", constants_, ParameterRole::activation);
}

Tensor FormulaActivation::forward(const Tensor& x) {
  if (const auto op = op_named(formula_.name)) return op(x);
  if (formula_.constants.empty())  // visitors do not see the tensor, nor convert it
    return apply_formula(formula_, x, Tensor::empty({0}, x.dtype(), x.device()));
  return apply_formula(formula_, x, constants_, learns_);
}

}  // namespace pade
