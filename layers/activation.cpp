#include <cmath>
#include <functional>
#include <map>

#include <pade/core/error.h>
#include <pade/core/names.h>
#include <pade/core/ops/unary.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>
#include <pade/layers/spec.h>

namespace pade {
namespace {

/// An activation without parameters.
class Elementwise : public Module {
 public:
  Elementwise(std::string description, std::function<Tensor(const Tensor&)> function)
      : description_(std::move(description)), function_(std::move(function)) {}
  std::string description() const override { return description_; }

 protected:
  Tensor forward(const Tensor& x) override { return function_(x); }

 private:
  std::string description_;
  std::function<Tensor(const Tensor&)> function_;
};

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

std::unique_ptr<Module> make_rational(const Spec& spec, const RationalPreset& preset,
                                      int64_t channels) {
  spec.allow_keys({"basis", "form", "degrees", "groups", "init", "interval", "trainable"});
  auto module = std::make_unique<Rational>(start_of(spec, preset), groups_of(spec, channels));
  module->set_trainable(spec.flag("trainable", true));
  return module;
}

std::unique_ptr<Module> make_elementwise(const Spec& spec, Tensor (*function)(const Tensor&)) {
  spec.allow_keys({});
  return std::make_unique<Elementwise>(spec.name(), function);
}

std::unique_ptr<Module> make_leaky_relu(const Spec& spec) {
  spec.allow_keys({"slope"});
  const double slope = spec.number("slope", 0.01);
  return std::make_unique<Elementwise>("leaky_relu(" + spec.text("slope", "0.01") + ")",
                                       [slope](const Tensor& x) { return leaky_relu(x, slope); });
}

using Maker = std::unique_ptr<Module> (*)(const Spec& spec, int64_t channels);

/// Every activation: a new one is a line here, beside what it is made of.
const std::map<std::string, Maker, std::less<>>& makers() {
  static const std::map<std::string, Maker, std::less<>> table = {
      {"identity",
       [](const Spec& spec, int64_t) {
         return make_elementwise(spec, [](const Tensor& x) { return x; });
       }},
      {"relu", [](const Spec& spec, int64_t) { return make_elementwise(spec, relu); }},
      {"leaky_relu", [](const Spec& spec, int64_t) { return make_leaky_relu(spec); }},
      {"tanh", [](const Spec& spec, int64_t) { return make_elementwise(spec, tanh); }},
      {"sigmoid", [](const Spec& spec, int64_t) { return make_elementwise(spec, sigmoid); }},
      {"hp1", [](const Spec& spec,
                 int64_t channels) { return make_rational(spec, hp1_preset(), channels); }},
      {"hp2", [](const Spec& spec,
                 int64_t channels) { return make_rational(spec, hp2_preset(), channels); }},
      {"pau", [](const Spec& spec,
                 int64_t channels) { return make_rational(spec, pau_preset(), channels); }},
      {"opau",
       [](const Spec& spec, int64_t channels) {
         check(spec.has("basis"), "activation opau: name its basis, as in opau:basis=legendre");
         return make_rational(spec, pau_preset(), channels);
       }},
  };
  return table;
}

}  // namespace

std::unique_ptr<Module> make_activation(std::string_view text, int64_t channels) {
  const Spec spec(text);
  const auto maker = makers().find(spec.name());
  if (maker == makers().end()) fail_unknown_name("activation", spec.name(), activation_names());
  return maker->second(spec, channels);
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : makers()) names.push_back(name);
  return names;
}

}  // namespace pade
