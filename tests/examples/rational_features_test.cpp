#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/core/tensor.h>

#include "lab/rational_features.h"

using namespace pade;
using namespace pade::lab;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

RationalFunction monomial(RationalForm form, std::vector<double> c, std::vector<double> d) {
  return {{Basis::monomial, form}, std::move(c), std::move(d)};
}

/// x / (1 + |x² − 1|): three regions, with Q = x² outside of [−1, 1] and 2 − x² inside.
const RationalFunction kTent{{Basis::hermite_he, RationalForm::whole_sum}, {0, 1}, {0, 1}};

}  // namespace

TEST_CASE("features of x/(1 + x²)") {
  const CurveFeatures f = features_of(monomial(RationalForm::termwise, {0, 1}, {0, 1}), -5, 5);
  REQUIRE(f.extrema.size() == 2);
  CHECK(f.extrema[0].x == doctest::Approx(-1).epsilon(1e-15));
  CHECK(f.extrema[0].value == doctest::Approx(-0.5));
  CHECK(!f.extrema[0].is_maximum);
  CHECK(f.extrema[1].is_maximum);
  CHECK(!f.extrema[1].at_kink);
  REQUIRE(f.inflections.size() == 3);
  CHECK(f.inflections[0].x == doctest::Approx(-std::sqrt(3)).epsilon(1e-15));
  CHECK(f.inflections[1].x == 0);
  CHECK(f.inflections[1].slope == 1);
  CHECK(f.inflections[2].slope == doctest::Approx(-0.125));
  CHECK(f.lipschitz.value == 1);
  CHECK(f.lipschitz.x == 0);
  CHECK(f.lipschitz.proven);
  CHECK(features_of(monomial(RationalForm::termwise, {0, 1}, {0, 1}), 1, 5).extrema.empty());
}

TEST_CASE("Lipschitz constants with closed forms") {
  auto lipschitz = [](const RationalFunction& g, double low, double high) {
    return features_of(g, low, high).lipschitz;
  };
  const RationalForm termwise = RationalForm::termwise;
  // 1/(1 + x²): 3√3/8 at 1/√3
  const LipschitzConstant bell = lipschitz(monomial(termwise, {1}, {0, 1}), -3, 3);
  CHECK(bell.value == doctest::Approx(3 * std::sqrt(3) / 8).epsilon(1e-14));
  CHECK(std::abs(bell.x) == doctest::Approx(1 / std::sqrt(3)).epsilon(1e-14));
  // x³/(1 + x²): 9/8 at √3
  const LipschitzConstant cubic = lipschitz(monomial(termwise, {0, 0, 0, 1}, {0, 1}), -9, 9);
  CHECK(cubic.value == doctest::Approx(9.0 / 8).epsilon(1e-14));
  // x/(1 + |x|): 1 at the kink; away from it, at the near end
  CHECK(lipschitz(monomial(termwise, {0, 1}, {1}), -2, 3).value == 1);
  const LipschitzConstant tail = lipschitz(monomial(termwise, {0, 1}, {1}), 1, 3);
  CHECK(tail.value == doctest::Approx(0.25).epsilon(1e-15));
  CHECK(tail.x == 1);
  // the slope of the tent is 3 just inside of ±1, and −1 outside
  const LipschitzConstant tent = lipschitz(kTent, -4, 4);
  CHECK(tent.value == doctest::Approx(3).epsilon(1e-14));
  CHECK(std::abs(tent.x) == doctest::Approx(1).epsilon(1e-15));
  // a line, a constant, and a pole
  CHECK(lipschitz(monomial(termwise, {1, -2}, {}), -1, 1).value == 2);
  CHECK(lipschitz(monomial(termwise, {7}, {}), -1, 1).value == 0);
  const RationalFunction unsafe = monomial(RationalForm::unsafe, {1}, {-0.5});
  CHECK(lipschitz(unsafe, 0, 4).value == kInfinity);
  CHECK(lipschitz(unsafe, 0, 4).x == 2);
  CHECK(lipschitz(unsafe, 0, 1).value == doctest::Approx(2));
}

TEST_CASE("extrema and inflections at kinks, poles and multiple roots") {
  const CurveFeatures tent = features_of(kTent, -4, 4);
  REQUIRE(tent.extrema.size() == 2);
  CHECK(tent.extrema[1].x == doctest::Approx(1).epsilon(1e-15));
  CHECK(tent.extrema[1].value == doctest::Approx(1));
  CHECK(tent.extrema[1].is_maximum);
  CHECK(tent.extrema[1].at_kink);
  // x/(1 + |x|) bends at 0, where its slope is continuous
  const CurveFeatures soft = features_of(monomial(RationalForm::termwise, {0, 1}, {1}), -2, 2);
  CHECK(soft.extrema.empty());
  REQUIRE(soft.inflections.size() == 1);
  CHECK(soft.inflections[0].x == 0);
  CHECK(soft.inflections[0].at_kink);
  // (x − 1)³ and (x − 1)⁴ have derivatives with multiple roots at 1
  const CurveFeatures cube =
      features_of(monomial(RationalForm::termwise, {-1, 3, -3, 1}, {}), -4, 4);
  CHECK(cube.extrema.empty());
  REQUIRE(cube.inflections.size() == 1);
  CHECK(cube.inflections[0].x == doctest::Approx(1).epsilon(1e-15));
  const CurveFeatures fourth =
      features_of(monomial(RationalForm::termwise, {1, -4, 6, -4, 1}, {}), -4, 4);
  REQUIRE(fourth.extrema.size() == 1);
  CHECK(std::abs(fourth.extrema[0].x - 1) <= 1e-4);  // a triple root, to the third root of ε
  CHECK(!fourth.extrema[0].is_maximum);
  CHECK(fourth.inflections.empty());
  // 1/(1 − x²): the slope turns at 0, not at the poles; the curvature at no finite point
  const CurveFeatures poles = features_of(monomial(RationalForm::unsafe, {1}, {0, -1}), -3, 3);
  REQUIRE(poles.extrema.size() == 1);
  CHECK(poles.extrema[0].x == 0);
  CHECK(!poles.extrema[0].is_maximum);
  CHECK(poles.inflections.empty());
  CHECK_THROWS_WITH_AS(features_of(kTent, 1, 1),
                       "features_of: the interval [1, 1] is empty or not finite", Error);
}

// Of these functions no two features are so close that the search steps over both.
TEST_CASE("features from roots are those that a search finds") {
  int extrema = 0, inflections = 0;
  for (const Basis basis : kAllBases)
    for (const RationalForm form : {RationalForm::termwise, RationalForm::whole_sum})
      for (int seed = 0; seed < 7; ++seed) {
        const int m = seed % 2 ? 8 : 5, n = seed % 2 ? 8 : 4;
        CAPTURE(std::string(name_of(basis)));
        CAPTURE(std::string(name_of(form)));
        CAPTURE(seed);
        const Tensor drawn = Rng(seed).normal({m + 1 + n}, 0, 1, DType::float64);
        RationalFunction g{{basis, form}, {}, {}};
        for (int i = 0; i <= m; ++i) g.c.push_back(drawn.at({i}));
        for (int j = m + 1; j <= m + n; ++j) g.d.push_back(drawn.at({j}));
        const double low = -4, high = 4.1;
        const CurveFeatures proven = features_of(g, low, high);
        const CurveFeatures searched =
            search_curve([&](double x) { return derivatives_of(g, x); }, low, high);
        REQUIRE(proven.extrema.size() == searched.extrema.size());
        for (size_t k = 0; k < proven.extrema.size(); ++k) {
          CHECK(std::abs(proven.extrema[k].x - searched.extrema[k].x) <= 1e-8);
          CHECK(proven.extrema[k].is_maximum == searched.extrema[k].is_maximum);
        }
        REQUIRE(proven.inflections.size() == searched.inflections.size());
        for (size_t k = 0; k < proven.inflections.size(); ++k)
          CHECK(std::abs(proven.inflections[k].x - searched.inflections[k].x) <= 1e-8);
        CHECK(searched.lipschitz.value <= proven.lipschitz.value * (1 + 1e-10));
        CHECK(!searched.lipschitz.proven);
        // The slope is that steep on one side of x: extrapolated, as it may change fast at a kink.
        const double x = proven.lipschitz.x, step = 1e-9;
        const Derivatives left = derivatives_of(g, x - step), right = derivatives_of(g, x + step);
        const double steepest = std::max(std::abs(left.slope + step * left.curvature),
                                         std::abs(right.slope - step * right.curvature));
        CHECK(steepest == doctest::Approx(proven.lipschitz.value).epsilon(1e-5));
        extrema += static_cast<int>(proven.extrema.size());
        inflections += static_cast<int>(proven.inflections.size());
      }
  CHECK(extrema > 100);
  CHECK(inflections > 100);
}
