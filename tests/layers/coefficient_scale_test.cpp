#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/mse.h>
#include <pade/core/ops/rational.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/coefficient_scale.h>
#include <pade/layers/gaussian_analysis.h>
#include <pade/layers/rational.h>
#include <pade/optim/adam.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"

using namespace pade;

TEST_CASE("Gaussian squares of the bases are their integrals") {
  for (const Basis basis : kAllBases) {
    CAPTURE(std::string(name_of(basis)));
    const auto squares = gaussian_squares(basis);
    for (size_t degree = 0; degree <= kMaxDegree; ++degree) {
      const auto f = [&](double x) {
        return Derivatives{evaluate_basis(basis, x)[degree], differentiate_basis(basis, x)[degree],
                           0};
      };
      const double integral = gaussian_moments(f, 1).square;
      CHECK(std::abs(squares[degree] - integral) <= 1e-11 * integral);
    }
  }
  double factorial = 1;
  for (int degree = 0; degree <= kMaxDegree; factorial *= ++degree) {
    CHECK(gaussian_squares(Basis::hermite_he)[degree] == factorial);
    const double root = std::sqrt(factorial * coefficient_scales(Basis::hermite_he)[degree] *
                                  coefficient_scales(Basis::hermite_he)[degree]);
    CHECK(root >= std::sqrt(0.5) * (1 - 1e-15));
    CHECK(root <= std::sqrt(2.0));
  }
}

TEST_CASE("coefficient scales are powers of two") {
  for (const Basis basis : kAllBases)
    for (const double scale : coefficient_scales(basis)) {
      int exponent = 0;
      CHECK(std::frexp(scale, &exponent) == 0.5);
    }
  CHECK(coefficient_scales(Basis::hermite_he)[0] == 1);
  CHECK(coefficient_scales(Basis::hermite_he)[4] == 0.25);    // 1/√24
  CHECK(coefficient_scales(Basis::hermite_he)[5] == 0.125);   // 1/√120
  CHECK(coefficient_scales(Basis::monomial)[5] == 1.0 / 32);  // 1/√945
  CHECK(coefficient_scales(Basis::chebyshev_t)[2] == 0.25);   // 1/3
}

TEST_CASE("activations are scaled by default unless their form is termwise") {
  const auto is_scaled = [](const char* spec) {
    return dynamic_cast<const Rational&>(*make_activation(spec)).scaled();
  };
  for (const char* spec :
       {"hp1", "hp2", "pau", "opau:basis=laguerre", "hp1:form=unsafe,scaled=false"})
    CHECK(!is_scaled(spec));
  for (const char* spec : {"hp1:scaled=true", "hp1:form=whole_sum", "pau:form=unsafe",
                           "opau:basis=legendre,form=full_sum,degrees=2/1"})
    CHECK(is_scaled(spec));
  CHECK(!Rational::hp1().scaled());
}

DEVICE_TEST_CASE("a scaled activation shows its scales to optimisers, and takes them along") {
  const auto plain = make_activation("hp2:groups=3,scaled=false");
  for (const Parameter& parameter : plain->parameters()) CHECK(!parameter.step_scale.defined());

  const auto scaled = make_activation("hp2:groups=3,scaled=true");
  CHECK(dynamic_cast<Rational&>(*scaled).scaled());
  CHECK(scaled->state().size() == 2);
  CHECK(scaled->state()[0].second.to_vector<float>() ==
        plain->state()[0].second.to_vector<float>());
  scaled->to(device);
  scaled->to(DType::float64);
  const auto scales = coefficient_scales(Basis::hermite_h);
  const auto parameters = scaled->parameters();
  REQUIRE(parameters.size() == 2);
  for (const int64_t first : {0, 1}) {
    const Tensor& scale = parameters[first].step_scale;
    CHECK(scale.shape() == parameters[first].tensor.shape());
    CHECK(scale.dtype() == DType::float64);
    CHECK(scale.device() == device);
    CHECK(!scale.requires_grad());
    for (int64_t group = 0; group < 3; ++group)
      for (int64_t i = 0; i < scale.extent(1); ++i)
        CHECK(scale.at({group, i}) == scales[i + first]);
  }
  const auto full = make_activation("hp2:form=full_sum,degrees=2/1");
  CHECK(full->parameters()[1].step_scale.to_vector<float>() ==
        std::vector<float>{static_cast<float>(scales[0]), static_cast<float>(scales[1])});
  dynamic_cast<Rational&>(*scaled).set_scaled(false);
  CHECK(!scaled->parameters()[0].step_scale.defined());
}

DEVICE_TEST_CASE("a scaled activation learns as one written in scaled coefficients") {
  const Tensor x = Rng(1).normal({64, 4}, 0, 1, DType::float64).to(device);
  const Tensor y = x * x * 0.3;
  for (const char* keys : {"", ",zero_centred=true"})
    for (const char* name : {"hp1", "hp2", "opau:basis=laguerre,form=full_sum"}) {
      const std::string spec = name;
      CAPTURE(spec + keys);
      const auto module = make_activation(spec + (spec.find(':') == std::string::npos ? ":" : ",") +
                                          "groups=2,scaled=true" + keys);
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
      Adam ours(parameters, {.lr = 0.01}), theirs(explicit_ones, {.lr = 0.01});
      const Tensor before = layer(x);
      for (int step = 0; step < 5; ++step) {
        {
          Tape tape;
          tape.backward(mse(layer(x), y));
        }
        {
          Tape tape;
          tape.backward(mse(explicit_layer(), y));
        }
        ours.step();
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
