#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/layers/study/rational_fit.h>

#include "lab/nearest_formula.h"

using namespace pade;
using namespace pade::lab;

namespace {

double gelu(double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; }
double relu(double x) { return x > 0 ? x : 0; }
double swish(double x) { return x / (1 + std::exp(-x)); }

FitResult fitted(const FitTarget& target) {
  return fit_rational(target, {Basis::hermite_he, RationalForm::whole_sum}, 5, 4, {-5, 5});
}

/// The distance by its definition.
double distance(const std::function<double(double)>& g, const ScaledFormula& f,
                const std::vector<WeightedInput>& inputs) {
  double total = 0, weight = 0;
  for (const WeightedInput& at : inputs) {
    total += at.weight * std::pow(g(at.x) - f(at.x), 2);
    weight += at.weight;
  }
  return std::sqrt(total / weight);
}

}  // namespace

TEST_CASE("a rational that was fitted to a function is recognised as that function") {
  const auto inputs = uniform_inputs(-5, 5, 201);
  for (const char* name : {"relu", "tanh", "swish", "gelu"}) {
    CAPTURE(std::string(name));
    const FitResult fit = fitted(fit_target_named(name));
    const NearestFormula nearest = nearest_formula(fit.function, inputs);
    CHECK(std::string(nearest.function.formula->name) == name);
    CHECK(nearest.free_parameters == 0);
    CHECK(nearest.function.a == 1);
    CHECK(nearest.function.b == 1);
    CHECK(nearest.function.c == 0);
    CHECK(nearest.function.d == 0);
    CHECK(nearest.rms == doctest::Approx(fit.rms).epsilon(0.05));  // at other points
  }
}

TEST_CASE("scale and shift are recognised too, in a rational and exactly") {
  const auto inputs = uniform_inputs(-5, 5, 201);
  const auto g = [](double x) { return 2 * gelu(0.5 * x + 1) - 0.3; };
  const NearestFormula near = nearest_formula(fitted(g).function, inputs),
                       same = nearest_formula(g, inputs);
  for (const auto& [nearest, tolerance] : {std::pair{near, 0.05}, std::pair{same, 1e-6}}) {
    CHECK(std::string(nearest.function.formula->name) == "gelu");
    CHECK(nearest.free_parameters == 4);
    CHECK(std::abs(nearest.function.a - 2) <= tolerance);
    CHECK(std::abs(nearest.function.b - 0.5) <= tolerance);
    CHECK(std::abs(nearest.function.c - 1) <= tolerance);
    CHECK(std::abs(nearest.function.d + 0.3) <= tolerance);
  }
  CHECK(near.rms == doctest::Approx(distance(fitted(g).function, near.function, inputs)));
  CHECK(same.rms <= 1e-8);
}

TEST_CASE("parameters that bring nothing are left alone") {
  const auto inputs = uniform_inputs(-3, 4, 141);
  const auto nearest = [&](const std::function<double(double)>& g) {
    return nearest_formula(g, inputs);
  };
  const NearestFormula line = nearest([](double x) { return 3 * x - 2; });
  CHECK(std::string(line.function.formula->name) == "identity");
  CHECK(line.free_parameters == 2);
  CHECK(line.function.a == doctest::Approx(3));
  CHECK(line.function.d == doctest::Approx(-2));
  CHECK(line.function(7) == doctest::Approx(19));
  const NearestFormula steep = nearest([](double x) { return std::tanh(3 * x); });
  CHECK(std::string(steep.function.formula->name) == "tanh");
  CHECK(steep.free_parameters == 1);
  CHECK(std::abs(steep.function.b) == doctest::Approx(3));
  const NearestFormula kink = nearest([](double x) { return relu(x - 1.234); });
  CHECK(std::string(kink.function.formula->name) == "relu");
  CHECK(kink.free_parameters == 1);
  CHECK(kink.function.c == doctest::Approx(-1.234));
  const NearestFormula constant = nearest([](double) { return 0.75; });
  CHECK(constant.function.a == 0);
  CHECK(constant.function.d == doctest::Approx(0.75));
  // Swish and EIS-3 are one function, and EIS-3 has a constant more.
  CHECK(std::string(nearest(swish).function.formula->name) == "swish");
}

TEST_CASE("the nearest formula is that where the inputs are") {
  const auto g = [](double x) { return x < 0 ? std::tanh(x) : relu(x); };
  std::vector<WeightedInput> left = uniform_inputs(-4, 0, 101), right = uniform_inputs(0, 4, 101);
  const auto joined = [&](double left_weight, double right_weight) {
    std::vector<WeightedInput> all;
    for (const WeightedInput& at : left) all.push_back({at.x, left_weight});
    for (const WeightedInput& at : right) all.push_back({at.x, right_weight});
    return all;
  };
  CHECK(std::string(nearest_formula(g, joined(1, 0)).function.formula->name) == "tanh");
  CHECK(std::string(nearest_formula(g, joined(0, 1)).function.formula->name) == "identity");
  CHECK(nearest_formula(g, joined(1, 1e-9)).rms <= 1e-4);
}

TEST_CASE("the nearest formula is the same for any number of threads") {
  const auto inputs = uniform_inputs(-5, 5, 64);
  const auto g = fitted([](double x) { return 0.7 * gelu(1.3 * x - 0.4) + 0.1; }).function;
  const int threads = num_threads();
  set_num_threads(1);
  const NearestFormula one = nearest_formula(g, inputs);
  set_num_threads(3);
  const NearestFormula three = nearest_formula(g, inputs);
  set_num_threads(threads);
  CHECK(one.function.formula == three.function.formula);
  CHECK(one.function.a == three.function.a);
  CHECK(one.function.b == three.function.b);
  CHECK(one.function.c == three.function.c);
  CHECK(one.function.d == three.function.d);
  CHECK(one.rms == three.rms);
}

TEST_CASE("what cannot be compared is refused") {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(nearest_formula(relu, {}), Error);
  CHECK_THROWS_AS(nearest_formula(relu, {{1, 0}, {2, 0}}), Error);
  CHECK_THROWS_AS(nearest_formula(relu, {{1, 1}, {2, -1}}), Error);
  CHECK_THROWS_AS(nearest_formula(relu, {{kNaN, 1}}), Error);
  CHECK_THROWS_AS(nearest_formula([](double x) { return 1 / x; }, {{0, 1}, {1, 1}}), Error);
  CHECK_THROWS_AS(uniform_inputs(1, 1, 3), Error);
}
