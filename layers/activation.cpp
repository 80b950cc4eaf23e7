#include <cmath>
#include <map>

#include <pade/core/error.h>
#include <pade/core/names.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>
#include <pade/layers/spec.h>

namespace pade {
namespace {

int degree_of(const Spec& spec, double value) {
  check(value == std::floor(value) && value >= 0 && value <= kMaxDegree, "activation ", spec.name(),
        ": degrees are whole numbers from 0/0 to ", kMaxDegree, "/", kMaxDegree, ", got \"",
        spec.text("degrees", ""), "\"");
  return static_cast<int>(value);
}

int64_t groups_of(const Spec& spec, int64_t channels) {
  if (spec.text("groups", "1") == "channel") return channels;
  const double groups = spec.number("groups", 1);
  check(groups == std::floor(groups) && groups >= 1, "activation ", spec.name(),
        ": groups expects a whole number of at least 1 or \"channel\", got \"",
        spec.text("groups", ""), "\"");
  return static_cast<int64_t>(groups);
}

RationalFunction start_of(const Spec& spec, const RationalPreset& preset) {
  const RationalFunction& usual = preset.start;
  const RationalOptions options{
      basis_named(spec.text("basis", name_of(usual.options.basis))),
      rational_form_named(spec.text("form", name_of(usual.options.form)))};
  const auto [m, n] = spec.pair("degrees", '/', {usual.c.size() - 1, usual.d.size()});
  const auto [low, high] = spec.pair("interval", ':', {preset.fit.low, preset.fit.high});
  const auto target = fit_target_named(spec.text("init", "leaky_relu"));
  for (const char* key : {"basis", "form", "degrees", "interval", "init"})
    if (spec.has(key))
      return fit_rational(target, options, degree_of(spec, m), degree_of(spec, n), {low, high})
          .function;
  return usual;
}

std::unique_ptr<Activation> make_rational(const Spec& spec, const RationalPreset& preset,
                                          int64_t channels, DType dtype) {
  spec.allow_keys(
      {"basis", "form", "degrees", "groups", "init", "interval", "zero_centred", "trainable"});
  auto module =
      std::make_unique<Rational>(start_of(spec, preset), groups_of(spec, channels), dtype);
  if (spec.flag("zero_centred", false)) module->keep_zero_centred();
  module->set_trainable(spec.flag("trainable", true));
  return module;
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

using Maker = std::unique_ptr<Activation> (*)(const Spec& spec, int64_t channels, DType dtype);

template <const RationalPreset& (*kPreset)()>
std::unique_ptr<Activation> make_preset(const Spec& spec, int64_t channels, DType dtype) {
  return make_rational(spec, kPreset(), channels, dtype);
}

std::unique_ptr<Activation> make_opau(const Spec& spec, int64_t channels, DType dtype) {
  check(spec.has("basis"), "activation opau: name its basis, as in opau:basis=legendre");
  return make_rational(spec, pau_preset(), channels, dtype);
}

std::unique_ptr<Activation> make_hermite(const Spec& spec, int64_t channels, DType dtype) {
  spec.allow_keys({"degree", "groups", "zero_centred", "trainable"});
  const RationalFunction start = hermite_polynomial(degree_of(spec, spec.number("degree", 3)));
  auto module = std::make_unique<Rational>(start, groups_of(spec, channels), dtype);
  if (spec.flag("zero_centred", false)) module->keep_zero_centred();
  module->set_trainable(spec.flag("trainable", true));
  return module;
}

/// The activations that no formula gives: a new one is a line here, beside what it is made of.
const std::map<std::string, Maker, std::less<>>& makers() {
  static const std::map<std::string, Maker, std::less<>> table = {
      {"hp1", make_preset<hp1_preset>}, {"hp2", make_preset<hp2_preset>},
      {"pau", make_preset<pau_preset>}, {"opau", make_opau},
      {"hermite", make_hermite},
  };
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
