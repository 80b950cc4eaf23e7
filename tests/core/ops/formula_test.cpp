#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/core/ops/formula_reference.h"
#include "tests/devices.h"

using namespace pade;

namespace {

Tensor on(Device device, DType dtype, const std::vector<double>& values) {
  return Tensor::from<double>(values, {static_cast<int64_t>(values.size())}).to(dtype).to(device);
}

/// Points away from every kink, on both sides of the places where formulas change their branch.
Tensor smooth_points(int64_t count, uint64_t seed) {
  Tensor x = Rng(seed).uniform({count}, -6, 6, DType::float64);
  double* values = x.mutable_data<double>();
  for (int64_t i = 0; i < count; ++i)
    for (const double kink : {-3.0, 0.0, 3.0})
      if (std::abs(values[i] - kink) < 1e-2) values[i] += 0.05;
  return x;
}

double relative_error(double value, double expected) {
  return std::abs(value - expected) / std::max(1.0, std::abs(expected));
}

}  // namespace

DEVICE_TEST_CASE("formulas have the values of a long double reference, in both precisions") {
  for (const Formula& formula : all_formulas()) {
    CAPTURE(std::string(formula.name));
    const auto value_of = reference::kFormulas.at(formula.name);
    for (const auto& constants : {formula.starts(), reference::other_constants(formula)})
      for (const DType dtype : {DType::float32, DType::float64}) {
        const Tensor x = Rng(1).uniform({20011}, -8, 8, dtype);  // several blocks
        const Tensor c = on(device, dtype, constants);
        const auto rounded = c.to(Device::cpu).to(DType::float64).to_vector<double>();
        const std::vector<reference::Real> exact(rounded.begin(), rounded.end());
        const Tensor y = apply_formula(formula, x.to(device), c).to(Device::cpu);
        REQUIRE(y.dtype() == dtype);
        double worst = 0;
        for (int64_t i = 0; i < x.size(); ++i) {
          const auto expected = static_cast<double>(value_of(x.at({i}), exact.data()));
          const double error = relative_error(y.at({i}), expected);
          if (!(error <= worst)) worst = error;
        }
        CHECK(worst <= (dtype == DType::float32 ? 2e-6 : 2e-14));
      }
  }
}

DEVICE_TEST_CASE("formulas have the gradients of central differences, by x and by constants") {
  for (const Formula& formula : all_formulas())
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}, Shape{300}}) {
      const Tensor x = smooth_points(shape.size(), 2).reshape(shape).to(device);
      const auto apply = [&](const auto& in) { return apply_formula(formula, in[0], in[1]); };
      const auto report =
          gradcheck(apply, {x, on(device, DType::float64, reference::other_constants(formula))});
      CHECK_MESSAGE(report.ok, std::string(formula.name), " ", to_string(shape), ": ",
                    report.message);
    }
}

TEST_CASE("formulas have the curvature of central differences of their slope") {
  for (const Formula& formula : all_formulas()) {
    CAPTURE(std::string(formula.name));
    const std::vector<double> constants = reference::other_constants(formula);
    const Tensor x = smooth_points(200, 3);
    for (int64_t i = 0; i < x.size(); ++i) {
      const double at = x.at({i}), step = 1e-5;
      const double expected = (derivatives_of(formula, at + step, constants).slope -
                               derivatives_of(formula, at - step, constants).slope) /
                              (2 * step);
      CHECK(relative_error(derivatives_of(formula, at, constants).curvature, expected) <= 1e-8);
    }
  }
}

DEVICE_TEST_CASE("formulas in float32 have the gradients of float64") {
  for (const Formula& formula : all_formulas()) {
    CAPTURE(std::string(formula.name));
    const auto results = [&](DType dtype) {
      Tensor x = smooth_points(1003, 4).to(DType::float32).to(dtype).to(device).requires_grad_();
      Tensor c = on(device, DType::float32, reference::other_constants(formula))
                     .to(dtype)
                     .requires_grad_();
      Tape tape;
      tape.backward(sum(apply_formula(formula, x, c)));
      std::vector<std::vector<double>> all;
      for (const Tensor& result : {x.grad(), c.grad()})
        all.push_back(result.to(DType::float64).to_vector<double>());
      return all;
    };
    const auto narrow = results(DType::float32), wide = results(DType::float64);
    double worst = 0;
    for (size_t k = 0; k < wide.size(); ++k)
      for (size_t i = 0; i < wide[k].size(); ++i) {
        const double error = relative_error(narrow[k][i], wide[k][i]);
        if (!(error <= worst)) worst = error;
      }
    CHECK(worst <= 1e-5);
  }
}

DEVICE_TEST_CASE("constants that do not learn change nothing for x") {
  for (const Formula& formula : all_formulas())
    for (const DType dtype : {DType::float32, DType::float64}) {
      CAPTURE(std::string(formula.name));
      const auto slopes = [&](bool learns) {
        Tensor x = smooth_points(1003, 5).to(dtype).to(device).requires_grad_();
        Tensor c = on(device, dtype, reference::other_constants(formula)).requires_grad_(learns);
        Tape tape;
        tape.backward(sum(apply_formula(formula, x, c)));
        return x.grad().to(DType::float64).to_vector<double>();
      };
      const std::vector<double> alone = slopes(false), together = slopes(true);
      for (size_t i = 0; i < alone.size(); ++i)
        CHECK(relative_error(alone[i], together[i]) <= (dtype == DType::float32 ? 1e-6 : 1e-14));
    }
}

DEVICE_TEST_CASE("formulas have no NaN at any finite x, and keep one that comes in") {
  for (const Formula& formula : all_formulas())
    for (const DType dtype : {DType::float32, DType::float64}) {
      CAPTURE(std::string(formula.name));
      std::vector<double> points = {0.0, -0.0};
      for (const double magnitude : {1e-30, 1.0, 3.0, 30.0, 88.0, 100.0, 700.0, 1e4, 1e18, 1e30})
        for (const double sign : {1.0, -1.0}) points.push_back(sign * magnitude);
      Tensor x = on(device, dtype, points).requires_grad_();
      Tensor c = on(device, dtype, formula.starts()).requires_grad_();
      Tape tape;
      const Tensor y = apply_formula(formula, x, c);
      tape.backward(sum(y));
      for (const Tensor& result : {y, x.grad()})
        for (const double value : result.to(DType::float64).to_vector<double>())
          CHECK(std::isfinite(value));
      for (const double point : points)
        CHECK(std::isfinite(derivatives_of(formula, point, formula.starts()).curvature));
      const Tensor nan = on(device, dtype, {std::numeric_limits<double>::quiet_NaN()});
      CHECK(std::isnan(apply_formula(formula, nan, c.detach()).item()));
    }
}

TEST_CASE("the gradient at one x is that of the op") {
  for (const Formula& formula : all_formulas()) {
    CAPTURE(std::string(formula.name));
    const std::vector<double> constants = reference::other_constants(formula);
    for (const double at : {-2.3, 0.4, 5.1}) {
      Tape tape;
      const Tensor c = on(Device::cpu, DType::float64, constants).requires_grad_();
      tape.backward(sum(apply_formula(formula, on(Device::cpu, DType::float64, {at}), c)));
      const std::vector<double> gradient = gradient_of(formula, at, constants);
      REQUIRE(gradient.size() == constants.size());
      for (size_t k = 0; k < gradient.size(); ++k)
        CHECK(gradient[k] ==
              doctest::Approx(c.grad().at({static_cast<int64_t>(k)})).epsilon(1e-12));
    }
    CHECK_THROWS_AS(gradient_of(formula, 0, std::vector<double>(constants.size() + 1)), Error);
  }
}

TEST_CASE("formulas that have an op of their own agree with it") {
  const Tensor x = Tensor::from<float>({-2, -0.5, 0, 0.5, 2}, {5});
  const auto by_formula = [&](const char* name, const Tensor& constants) {
    return apply_formula(*find_formula(name), x, constants).to_vector<float>();
  };
  const Tensor none = Tensor::zeros({0});
  CHECK(by_formula("relu", none) == relu(x).to_vector<float>());
  CHECK(by_formula("tanh", none) == tanh(x).to_vector<float>());
  CHECK(by_formula("sigmoid", none) == sigmoid(x).to_vector<float>());
  CHECK(by_formula("leaky_relu", Tensor::full({1}, 0.2)) == leaky_relu(x, 0.2).to_vector<float>());
  CHECK(derivatives_of(*find_formula("relu"), 0, {}).slope == 0);
}

TEST_CASE("formulas refuse what they cannot take") {
  const Formula& swish = *find_formula("swish");
  const Tensor x = Tensor::zeros({3});
  CHECK_THROWS_WITH(apply_formula(swish, x, Tensor::zeros({2})),
                    "swish: expected constants of shape [1], got [2] (x [3])");
  CHECK_THROWS_WITH(apply_formula(swish, x, Tensor()),
                    "swish: constants is undefined; assign a tensor to it first");
  CHECK_THROWS_WITH(apply_formula(swish, x.to(DType::int32), Tensor::zeros({1})),
                    "swish: expected float32 or float64, got int32");
  CHECK_THROWS_AS(derivatives_of(swish, 0, {}), Error);
  CHECK(find_formula("swash") == nullptr);
}
