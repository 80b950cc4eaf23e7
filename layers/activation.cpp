#include <algorithm>
#include <utility>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational_spec.h>
#include <pade/layers/study/coefficient_scale.h>

namespace pade {
namespace {

const Formula& formula_named(std::string_view name) {
  const Formula* formula = find_formula(name);
  check(formula != nullptr, "FormulaActivation: there is no formula named \"", name, "\"");
  return *formula;
}

std::unique_ptr<Activation> make_formula(const Spec& spec, const Formula& formula, DType dtype) {
  std::vector<std::string> keys;
  std::vector<double> constants;
  std::vector<bool> learns;
  for (const Formula::Constant& constant : formula.constants) {
    keys.push_back(constant.name);
    constants.push_back(spec.number(constant.name, constant.start));
    learns.push_back(spec.flag("trainable", constant.learns));
  }
  if (!keys.empty()) keys.push_back("trainable");
  spec.allow_keys(keys);
  return std::make_unique<FormulaActivation>(formula, constants, learns, dtype);
}

std::unique_ptr<Activation> make_hermite(const Spec& spec, int64_t channels, DType dtype) {
  spec.allow_keys({"degree", "groups", "zero_centred", "noise", "trainable"});
  const int degree = whole_number<int>(spec.number("degree", 3), "activation hermite: degree");
  return make_rational(spec, hermite_polynomial(degree), channels, dtype);
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

std::unique_ptr<Activation> make_activation(std::string_view text, int64_t channels, DType dtype) {
  const Spec spec(text);
  if (const Formula* formula = find_formula(spec.name()))
    return make_formula(spec, *formula, dtype);
  if (spec.name() == "hermite") return make_hermite(spec, channels, dtype);
  const std::vector<std::string> names = rational_names();
  if (std::find(names.begin(), names.end(), spec.name()) == names.end())
    fail_unknown_name("activation", spec.name(), activation_names());
  return make_rational(spec, RationalSpec(spec).start(), channels, dtype);
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Formula& formula : all_formulas()) names.push_back(formula.name);
  names.push_back("hermite");
  for (const std::string& name : rational_names()) names.push_back(name);
  return names;
}

}  // namespace pade
