#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/rational.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/coefficient_scale.h>
#include <pade/layers/study/polynomial.h>
#include <pade/optim/adam.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"

using namespace pade;

namespace {

std::vector<double> values(const Tensor& tensor) {
  return tensor.to(Device::cpu).to(DType::float64).to_vector<double>();
}

/// Of one coefficient, for inputs N(0, width²): by a difference of functions, at 16,384 midpoints.
double sensitivity_by_differences(const ActivationFunction& f, size_t k, bool one_sided,
                                  double width) {
  const double step = 1e-6;
  const auto moved_by = [&](double distance) {
    std::vector<double> values = f.values();
    values[k] += distance;
    return f.with(values);
  };
  const ActivationFunction up = moved_by(step), down = moved_by(one_sided ? 0 : -step);
  constexpr int kPoints = 16384;
  constexpr double kEnd = 9;
  double square = 0, total = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double z = kEnd * (2 * (i + 0.5) / kPoints - 1), weight = std::exp(-z * z / 2);
    const double x = width * z;
    const double difference = (up(x) - down(x)) / (one_sided ? step : 2 * step);
    square += weight * difference * difference;
    total += weight;
  }
  return std::sqrt(square / total);
}

std::string with_key(const std::string& spec, const std::string& key) {
  return spec + (spec.find(':') == std::string::npos ? ":" : ",") + key;
}

}  // namespace

TEST_CASE("sensitivities are the root mean squares of differences of functions") {
  for (const std::string spec :
       {"hp1", "hp2", "pau", "hp2:form=full_sum", "pau:form=unsafe", "opau:basis=legendre",
        "opau:basis=chebyshev_u,form=whole_sum,degrees=3/2", "opau:basis=laguerre", "hermite",
        "prelu", "smu", "erfact", "era", "swish:trainable=true"}) {
    CAPTURE(spec);
    const double width = spec.find("form=") == std::string::npos ? 1 : 2;
    const ActivationFunction f = make_activation(spec)->as_function();
    const auto sensitivities = coefficient_sensitivities(f);
    REQUIRE(sensitivities.size() == f.values().size());
    for (size_t k = 0; k < sensitivities.size(); ++k) {
      CAPTURE(f.names()[k]);
      // The rule's nodes are 1/32 apart, and the gradients have kinks.
      CHECK(sensitivities[k] ==
            doctest::Approx(sensitivity_by_differences(f, k, false, width)).epsilon(1e-3));
    }
  }
}

TEST_CASE("a denominator that starts at 0 has the sensitivity of what it will become") {
  const RationalFunction start{{Basis::monomial, RationalForm::termwise}, {0.5, 1}, {0, 0}};
  const auto sensitivities = coefficient_sensitivities(start);
  for (const size_t k : {2, 3})
    CHECK(sensitivities[k] ==
          doctest::Approx(sensitivity_by_differences(start, k, true, 1)).epsilon(1e-3));
}

TEST_CASE("one rate moves HP-2 by its highest coefficient fifty times as far as by its first") {
  const auto of = [](const char* spec) {
    return coefficient_sensitivities(make_activation(spec)->as_function());
  };
  const auto hp2 = of("hp2"), hp1 = of("hp1");
  CHECK(hp2[5] / hp2[1] == doctest::Approx(49).epsilon(0.02));
  CHECK(hp1[5] / hp1[1] == doctest::Approx(8).epsilon(0.02));
}

TEST_CASE("step scales are the powers of two next to 1/sensitivity, within limits") {
  for (const char* spec : {"hp1", "hp2:form=whole_sum", "opau:basis=laguerre", "smu"}) {
    CAPTURE(std::string(spec));
    const ActivationFunction f = make_activation(spec)->as_function();
    const auto sensitivities = coefficient_sensitivities(f), scales = step_scales(f);
    for (size_t k = 0; k < scales.size(); ++k) {
      int exponent = 0;
      CHECK(std::frexp(scales[k], &exponent) == 0.5);
      CHECK(std::abs(std::log2(scales[k] * sensitivities[k])) <= 0.5);
    }
  }
  const RationalOptions options{Basis::monomial, RationalForm::termwise};
  CHECK(step_scales(RationalFunction{options, {0, 0}, {1}}).at(2) == 64);  // the zero function
  CHECK(step_scales(RationalFunction{options, {1e12}, {1}}).at(1) == 0x1p-30);
  const RationalOptions unsafe{Basis::monomial, RationalForm::unsafe};
  for (const double scale : step_scales(RationalFunction{unsafe, {0, 1}, {-1}}))  // a pole at 1
    CHECK(scale == 0x1p-30);
}

DEVICE_TEST_CASE("activations show their scales to optimisers, and take them along") {
  const auto module = make_activation("hp2:groups=3");
  CHECK(module->state().size() == 2);
  module->to(device);
  module->to(DType::float64);
  const auto scales = step_scales(module->as_function());
  const auto parameters = module->parameters();
  REQUIRE(parameters.size() == 2);
  for (const size_t part : {0, 1}) {
    const Tensor& scale = parameters[part].step_scale;
    CHECK(scale.shape() == parameters[part].tensor.shape());
    CHECK(scale.dtype() == DType::float64);
    CHECK(scale.device() == device);
    CHECK(!scale.requires_grad());
    for (int64_t group = 0; group < 3; ++group)
      for (int64_t i = 0; i < scale.extent(1); ++i)
        CHECK(scale.at({group, i}) == scales[static_cast<size_t>(i) + 6 * part]);
  }
  const auto formula = make_activation("smu");
  CHECK(values(formula->parameters().at(0).step_scale) == step_scales(formula->as_function()));
}

TEST_CASE("the scales are those of the start, also where a file's coefficients are read") {
  const auto module = make_activation("hp1");
  const auto scale = values(module->parameters()[0].step_scale);
  NoGrad no_grad;
  module->state()[0].second.fill_(0);
  CHECK(values(module->parameters()[0].step_scale) == scale);
}

DEVICE_TEST_CASE("an activation learns as one written in scaled coefficients, by Adam") {
  const Tensor x = Rng(1).normal({64, 4}, 0, 1, DType::float64).to(device);
  const Tensor y = x * x * 0.3;
  for (const char* keys : {"", ",zero_centred=true"})
    for (const char* name : {"hp1", "hp2", "opau:basis=laguerre,form=full_sum"}) {
      const std::string spec = name;
      CAPTURE(spec + keys);
      const auto module = make_activation(with_key(spec, "groups=2") + keys);
      module->to(DType::float64);
      module->to(device);
      auto& layer = dynamic_cast<Rational&>(*module);
      const auto parameters = layer.parameters();
      const Tensor c_scale = parameters[0].step_scale, d_scale = parameters[1].step_scale;
      std::vector<Parameter> explicit_ones{
          {"c", (layer.numerator.detach() / c_scale).requires_grad_()},
          {"d", (layer.denominator.detach() / d_scale).requires_grad_()}};
      const int64_t count = c_scale.extent(1);
      const auto all = evaluate_basis(layer.options().basis, 0);
      const Tensor direction =
          c_scale * Tensor::from<double>({all.begin(), all.begin() + count}, {1, count}).to(device);
      const auto explicit_layer = [&] {
        Tensor c = explicit_ones[0].tensor;
        if (*keys)
          c = c - sum(c * direction, {1}, true) * direction / sum(direction * direction, {1}, true);
        return rational(x, c_scale * c, d_scale * explicit_ones[1].tensor, layer.options());
      };
      Sgd ours(parameters, {.activation_lr = 0.5});
      Adam theirs(explicit_ones, {.lr = 0.5});
      const Tensor before = layer(x);
      for (int step = 0; step < 5; ++step) {
        {
          Tape tape;
          tape.backward(mse(layer(x), y) * 1e9);  // beside which eps is nothing
        }
        {
          Tape tape;
          tape.backward(mse(explicit_layer(), y) * 1e9);
        }
        ours.step();
        theirs.set_lr_factor(std::min(1.0, (step + 1) / 20.0));  // the coefficients' warm-up
        theirs.step();
      }
      const auto largest = [](const Tensor& difference) {
        double result = 0;
        for (const double value : difference.to(Device::cpu).to_vector<double>())
          if (!(std::abs(value) <= result)) result = std::abs(value);
        return result;
      };
      CHECK(largest(layer(x) - explicit_layer()) <= 1e-9);
      CHECK(largest(layer(x) - before) > 1e-3);
    }
}
