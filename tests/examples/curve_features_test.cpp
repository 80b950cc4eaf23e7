#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include <pade/core/error.h>

#include "lab/curve_features.h"

using namespace pade;
using namespace pade::lab;

TEST_CASE("a search finds the features of the sine") {
  const auto sine = [](double x) { return Derivatives{std::sin(x), std::cos(x), -std::sin(x)}; };
  const CurveFeatures f = search_curve(sine, -4, 6);
  const double pi = std::numbers::pi;
  REQUIRE(f.extrema.size() == 3);  // −π/2, π/2, 3π/2
  for (int k = 0; k < 3; ++k) {
    CHECK(f.extrema[k].x == doctest::Approx(pi * (k - 0.5)).epsilon(1e-14));
    CHECK(f.extrema[k].is_maximum == (k == 1));
    CHECK(f.extrema[k].value == doctest::Approx(k == 1 ? 1 : -1));
  }
  REQUIRE(f.inflections.size() == 3);  // −π, 0, π
  for (int k = 0; k < 3; ++k) CHECK(std::abs(f.inflections[k].x - pi * (k - 1)) <= 1e-14);
  CHECK(f.lipschitz.value == 1);
  CHECK(!f.lipschitz.proven);
}

TEST_CASE("a search steps over zeros, plateaus and kinks") {
  const auto square = [](double x) { return Derivatives{x * x, 2 * x, 2}; };
  const CurveFeatures at_sample = search_curve(square, -1, 1, 3);
  REQUIRE(at_sample.extrema.size() == 1);
  CHECK(at_sample.extrema[0].x == 0);
  CHECK(!at_sample.extrema[0].is_maximum);
  CHECK(at_sample.inflections.empty());
  CHECK(at_sample.lipschitz.value == 2);
  const auto relu = [](double x) { return x > 0 ? Derivatives{x, 1, 0} : Derivatives{0, 0, 0}; };
  CHECK(search_curve(relu, -3, 3).extrema.empty());
  const auto magnitude = [](double x) { return Derivatives{std::abs(x), x < 0 ? -1.0 : 1.0, 0}; };
  const CurveFeatures kink = search_curve(magnitude, -1, 2, 8);
  REQUIRE(kink.extrema.size() == 1);
  CHECK(std::abs(kink.extrema[0].x) <= 1e-15);
}

TEST_CASE("a search refuses what it cannot search") {
  const auto inverse = [](double x) { return Derivatives{1 / x, -1 / (x * x), 2 / (x * x * x)}; };
  CHECK_THROWS_WITH_AS(search_curve(inverse, -1, 1, 3),
                       "search_curve: the function or a derivative of it is not finite at 0",
                       Error);
  CHECK_THROWS_AS(search_curve(inverse, 2, 1), Error);
  CHECK_THROWS_WITH_AS(search_curve(inverse, 1, 2, 2),
                       "search_curve: 2 samples; at least 3 are needed", Error);
}
