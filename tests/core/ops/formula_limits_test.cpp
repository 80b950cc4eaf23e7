#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/tape.h>

#include "tests/core/ops/edges.h"
#include "tests/core/ops/formula_reference.h"
#include "tests/devices.h"

/// Formulas where random samples do not come: at 0, at the edges of branches and beside them, among
/// subnormal numbers, at the largest ones, at infinity and at NaN.

using namespace pade;
using reference::edges;
using reference::is_near;
using reference::Real;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Formulas whose slope or curvature jumps: the branch that is taken at `at`, continued to x.
const std::map<std::string, Real (*)(Real x, Real at, const Real* c)> kBranches = {
    {"relu", [](Real x, Real at, const Real*) { return at > 0 ? x : 0; }},
    {"leaky_relu", [](Real x, Real at, const Real* c) { return at > 0 ? x : c[0] * x; }},
    {"prelu", [](Real x, Real at, const Real* c) { return at > 0 ? x : c[0] * x; }},
    {"elu", [](Real x, Real at, const Real* c) { return at > 0 ? x : c[0] * std::expm1(x); }},
    {"hard_swish",
     [](Real x, Real at, const Real*) { return at < -3  ? 0
                                               : at > 3 ? x
                                                        : x * (x + 3) / 6; }},
};

/// Constants beside those that formulas start with: of the other sign, and 0.
const std::map<std::string, std::vector<std::vector<double>>> kMoreConstants = {
    {"leaky_relu", {{-0.5}, {0}}},
    {"prelu", {{-0.5}, {0}}},
    {"elu", {{-0.7}, {0}}},
    {"swish", {{-1.3}, {0}}},
    {"tanhsoft1", {{-0.9}, {0}}},
    {"tanhsoft2", {{-0.6, 1}, {0.6, -1}, {0, 0}}},
    {"eis1", {{20, -1}, {2, 0}}},
    {"eis2", {{2, 0.5}}},
    {"eis3", {{1.5, -0.8}, {1, 0}}},
    {"smu", {{-0.25, 1}, {0.25, -1}, {0, 1}, {0.25, 0}}},
    {"erfact", {{-0.75, 0.75}, {0.75, -0.75}, {0, 0}}},
    {"pserf", {{-1.25, 0.85}, {1.25, -0.85}, {0, 0}}},
    {"era", {{0, 4.7, 0, -0.4, 0, 1.4, 0, -112, 0, 5}, {0, 0, 0.5, 1, 2, 3, -0.4, 1, -2, 0.7}}}};

std::vector<std::vector<double>> constants_of(const Formula& formula) {
  std::vector<std::vector<double>> all = {formula.starts()};
  if (all[0].empty()) return all;
  all.push_back(reference::other_constants(formula));
  const auto more = kMoreConstants.find(formula.name);
  if (more != kMoreConstants.end()) all.insert(all.end(), more->second.begin(), more->second.end());
  return all;
}

/// The first and the second derivative of f at `at`, with errors of the eighth power of the step.
template <class F>
std::pair<Real, Real> differences(const F& f, Real at) {
  constexpr Real kStep = 1 / 128.0L;
  constexpr Real kFirst[] = {0, 4 / 5.0L, -1 / 5.0L, 4 / 105.0L, -1 / 280.0L};
  constexpr Real kSecond[] = {-205 / 72.0L, 8 / 5.0L, -1 / 5.0L, 8 / 315.0L, -1 / 560.0L};
  Real first = 0, second = kSecond[0] * f(at);
  for (int k = 1; k <= 4; ++k) {
    const Real after = f(at + k * kStep), before = f(at - k * kStep);
    first += kFirst[k] * (after - before);
    second += kSecond[k] * (after + before);
  }
  return {first / kStep, second / (kStep * kStep)};
}

/// Whether far out, or where they cancel, large terms of the formula hide what others add, from the
/// reference too.
bool hides_terms(const Formula& formula) {
  return formula.name == std::string("era") || formula.name == std::string("eis2");
}

/// What a formula must be at one x.
struct Expected {
  Real value, slope, curvature;
  std::vector<Real> of_constants;
};

template <class T>
Expected expected_at(const Formula& formula, double x, const std::vector<double>& constants) {
  // So far out that every formula is its asymptote, and its square is still a number.
  constexpr Real kFar = 1e2400L;
  const auto value_of = reference::kFormulas.at(formula.name);
  const std::vector<Real> c(constants.begin(), constants.end());
  const Real at = std::isinf(x) ? std::copysign(kFar, Real(x)) : Real(x);
  Expected expected{value_of(at, c.data()), 0, 0, {}};
  if (std::abs(x) > 1e6) {
    const Real far = std::copysign(kFar, at);
    expected.slope = (value_of(2 * far, c.data()) - value_of(far, c.data())) / far;
  } else {
    const auto branch = kBranches.find(formula.name);
    const auto f = [&](Real t) {
      return branch == kBranches.end() ? value_of(t, c.data()) : branch->second(t, at, c.data());
    };
    std::tie(expected.slope, expected.curvature) = differences(f, at);
  }
  const Real farthest = sizeof(T) == 4 ? 0x1p100L : 0x1p1000L,
             reached = std::clamp(at, -farthest, farthest);
  for (size_t k = 0; k < c.size(); ++k) {
    const auto f = [&](Real constant) {
      std::vector<Real> moved = c;
      moved[k] = constant;
      return value_of(reached, moved.data());
    };
    expected.of_constants.push_back(differences(f, c[k]).first);
  }
  return expected;
}

Tensor on(Device device, DType dtype, const std::vector<double>& values) {
  return Tensor::from<double>(values, {static_cast<int64_t>(values.size())}).to(dtype).to(device);
}

std::vector<double> numbers(const Tensor& x) {
  return x.detach().to(DType::float64).to_vector<double>();
}

template <class T>
void check_constants(const Formula& formula, const Tensor& constants, double at,
                     const Expected& expected, double tolerance) {
  Tensor c = constants.detach().requires_grad_();
  Tape tape;
  tape.backward(sum(apply_formula(formula, on(c.device(), c.dtype(), {at}), c)));
  const std::vector<double> gradients = numbers(c.grad());
  const Real value = std::min(std::abs(expected.value), Real(std::numeric_limits<T>::max()));
  const Real scale = hides_terms(formula) ? std::max(Real(1), 1e-15L / Real(tolerance) * value) : 1;
  for (size_t k = 0; k < gradients.size(); ++k)
    CHECK_MESSAGE(is_near<T>(gradients[k], expected.of_constants[k], tolerance, scale),
                  "gradient of constant ", k, ": ", gradients[k], ", expected ",
                  static_cast<double>(expected.of_constants[k]));
}

template <class T>
void check_edges(Device device, double tolerance) {
  constexpr DType dtype = dtype_of<T>();
  const std::vector<double> points = edges<T>();
  for (const Formula& formula : all_formulas())
    for (const auto& constants : constants_of(formula)) {
      const Tensor c = on(device, dtype, constants);
      const std::vector<double> rounded = numbers(c);
      CAPTURE(std::string(formula.name));
      CAPTURE(c);
      Tensor x = on(device, dtype, points).requires_grad_();
      Tape tape;
      const Tensor y = apply_formula(formula, x, c);
      tape.backward(sum(y));
      const std::vector<double> values = numbers(y), slopes = numbers(x.grad());
      for (size_t i = 0; i < points.size(); ++i) {
        const double at = points[i];
        CAPTURE(at);
        const Expected expected = expected_at<T>(formula, at, rounded);
        const Real scale = hides_terms(formula) ? 1 : std::min(Real(1), std::abs(Real(at)));
        CHECK_MESSAGE(is_near<T>(values[i], expected.value, tolerance, scale), "value ", values[i],
                      ", expected ", static_cast<double>(expected.value));
        CHECK_MESSAGE(is_near<T>(slopes[i], expected.slope, tolerance, 1), "slope ", slopes[i],
                      ", expected ", static_cast<double>(expected.slope));
        if (dtype == DType::float64) {
          const double curvature = derivatives_of(formula, at, rounded).curvature;
          CHECK_MESSAGE(is_near<T>(curvature, expected.curvature, tolerance, 1), "curvature ",
                        curvature, ", expected ", static_cast<double>(expected.curvature));
        }
        // A step from a factor 0 of x is a long way where x is large.
        const bool has_zero = std::find(constants.begin(), constants.end(), 0) != constants.end();
        if (has_zero && std::abs(at) > 1) continue;
        if (!constants.empty() && (device == Device::cpu || i % 5 == 0))
          check_constants<T>(formula, c, at, expected, tolerance);
      }
    }
}

}  // namespace

DEVICE_TEST_CASE("formulas have their values and derivatives at every edge, in float32") {
  check_edges<float>(device, 1e-5);
}

DEVICE_TEST_CASE("formulas have their values and derivatives at every edge, in float64") {
  check_edges<double>(device, 1e-10);
}

TEST_CASE("the derivatives of a formula at one x are those of its tensors") {
  const std::vector<double> points = edges<double>();
  for (const Formula& formula : all_formulas()) {
    CAPTURE(std::string(formula.name));
    const Tensor c = on(Device::cpu, DType::float64, formula.starts());
    Tensor x = on(Device::cpu, DType::float64, points).requires_grad_();
    Tape tape;
    const Tensor y = apply_formula(formula, x, c);
    tape.backward(sum(y));
    for (size_t i = 0; i < points.size(); ++i) {
      CAPTURE(points[i]);
      const auto at = static_cast<int64_t>(i);
      const Derivatives all = derivatives_of(formula, points[i], formula.starts());
      CHECK(is_near<double>(all.value, y.at({at}), 1e-14, 1));
      CHECK(is_near<double>(all.slope, x.grad().at({at}), 1e-14, 1));
    }
  }
}

DEVICE_TEST_CASE("formulas keep a NaN, and have no slope there unless it is a straight line") {
  // The branch that is taken where every comparison fails; of relu, that of its value.
  const std::map<std::string, double> straight = {{"identity", 1}, {"relu", 0}};
  for (const Formula& formula : all_formulas())
    for (const DType dtype : {DType::float32, DType::float64}) {
      CAPTURE(std::string(formula.name));
      Tensor x = on(device, dtype, {kNan}).requires_grad_();
      const Tensor c = on(device, dtype, formula.starts());
      Tape tape;
      const Tensor y = apply_formula(formula, x, c);
      tape.backward(sum(y));
      CHECK(std::isnan(y.item()));
      const auto branch = straight.find(formula.name);
      if (branch == straight.end())
        CHECK(std::isnan(x.grad().item()));
      else
        CHECK(x.grad().item() == branch->second);
    }
}
