#include <functional>
#include <map>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational_spec.h>

namespace pade {
namespace {

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

using Maker = std::unique_ptr<Activation> (*)(const Spec& spec, int64_t channels, DType dtype);

std::unique_ptr<Activation> make_rational(const Spec& spec, int64_t channels, DType dtype) {
  const RationalSpec rational(spec);
  return rational.make(rational.start(), channels, dtype);
}

std::unique_ptr<Activation> make_hermite(const Spec& spec, int64_t channels, DType dtype) {
  spec.allow_keys({"degree", "groups", "zero_centred", "noise", "trainable"});
  const int degree = whole_number<int>(spec.number("degree", 3), "activation hermite: degree");
  const RationalFunction start = hermite_polynomial(degree);
  auto module = std::make_unique<Rational>(start, groups_of(spec, channels), dtype);
  if (spec.flag("zero_centred", false)) module->keep_zero_centred();
  module->set_noise(spec.number("noise", 0));
  module->set_trainable(spec.flag("trainable", true));
  return module;
}

/// The activations that no formula gives: a new one is a line here, beside what it is made of.
const std::map<std::string, Maker, std::less<>>& makers() {
  static const auto table = [] {
    std::map<std::string, Maker, std::less<>> table{{"hermite", make_hermite}};
    for (const std::string& name : rational_names()) table[name] = make_rational;
    return table;
  }();
  return table;
}

}  // namespace

std::unique_ptr<Activation> make_activation(std::string_view text, int64_t channels, DType dtype) {
  const Spec spec(text);
  if (const Formula* formula = find_formula(spec.name()))
    return make_formula(spec, *formula, dtype);
  const auto maker = makers().find(spec.name());
  if (maker == makers().end()) fail_unknown_name("activation", spec.name(), activation_names());
  return maker->second(spec, channels, dtype);
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Formula& formula : all_formulas()) names.push_back(formula.name);
  for (const auto& [name, maker] : makers()) names.push_back(name);
  return names;
}

}  // namespace pade
