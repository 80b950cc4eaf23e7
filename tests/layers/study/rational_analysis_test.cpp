#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/core/tensor.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/rational_analysis.h>

using namespace pade;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

RationalFunction monomial(RationalForm form, std::vector<double> c, std::vector<double> d) {
  return {{Basis::monomial, form}, std::move(c), std::move(d)};
}

/// x / (1 + |x² − 1|): three regions, with Q = x² outside of [−1, 1] and 2 − x² inside.
const RationalFunction kTent{{Basis::hermite_he, RationalForm::whole_sum}, {0, 1}, {0, 1}};

void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t k = 0; k < found.size(); ++k) CHECK(std::abs(found[k] - expected[k]) <= 1e-14);
}

}  // namespace

TEST_CASE("kinks are where a |…| of the denominator turns, once each") {
  const double inner = std::sqrt(3.0 / 7 - 2.0 / 7 * std::sqrt(1.2));
  const double outer = std::sqrt(3.0 / 7 + 2.0 / 7 * std::sqrt(1.2));
  const double third = std::sqrt(0.6), second = std::sqrt(1.0 / 3);
  const RationalFunction legendre{
      {Basis::legendre, RationalForm::termwise}, {1}, {1, 1, -1, 1}};  // 0 is of P1 and of P3
  check_near(kinks_of(legendre), {-outer, -third, -second, -inner, 0, inner, second, third, outer});
  const RationalFunction chebyshev{
      {Basis::chebyshev_u, RationalForm::termwise}, {1}, {0, 1, 0, 0, 1}};  // ±1/2 is of both
  check_near(kinks_of(chebyshev), {-std::sqrt(0.75), -0.5, 0, 0.5, std::sqrt(0.75)});
  check_near(kinks_of(monomial(RationalForm::termwise, {1}, {0, 1, 1, 1})), {0});
  check_near(kinks_of(monomial(RationalForm::termwise, {1}, {0, 1, 0, 1})), {});
  check_near(kinks_of(monomial(RationalForm::whole_sum, {1}, {-2, 0, 1})),
             {-std::sqrt(2), 0, std::sqrt(2)});
  check_near(kinks_of(monomial(RationalForm::whole_sum, {1}, {0, 1, -2, 1})), {});  // x² (x − 1)²
  check_near(kinks_of(monomial(RationalForm::full_sum, {1}, {-1, 0, 4})), {-0.5, 0.5});
  check_near(kinks_of(monomial(RationalForm::full_sum, {1}, {1, 0, 4})), {});
  check_near(kinks_of(monomial(RationalForm::full_sum, {1}, {1})), {});
  check_near(kinks_of(monomial(RationalForm::unsafe, {1}, {-2, 0, 1})), {});
}

TEST_CASE("regions: quotients, zeros, poles and how far away they are") {
  const auto regions = regions_of(kTent);
  REQUIRE(regions.size() == 3);
  CHECK(regions[0].low == -kInfinity);
  CHECK(regions[0].high == doctest::Approx(-1).epsilon(1e-15));
  CHECK(regions[1].q.c == std::vector<double>{2, 0, -1});
  CHECK(regions[2].q.c == std::vector<double>{0, 0, 1});
  CHECK(regions[0].zeros.empty());
  CHECK(regions[1].zeros == std::vector<std::complex<double>>{0.0});
  CHECK(regions[1].poles.empty());  // ±√2 are outside
  CHECK(regions[1].pole_distance == doctest::Approx(std::sqrt(2) - 1));
  CHECK(regions[2].pole_distance == doctest::Approx(1));

  // (x² + 4) / (1 + x²)
  const auto one = regions_of(monomial(RationalForm::termwise, {4, 0, 1}, {0, 1}));
  REQUIRE(one.size() == 1);
  CHECK(one[0].zeros[1] == std::complex<double>(0, 2));
  CHECK(one[0].poles[1] == std::complex<double>(0, 1));
  CHECK(one[0].pole_distance == 1);

  // 1 / (1/10 + |1 − x²|): inside of [−1, 1] the roots of 11/10 − x² are not far outside.
  const auto full = regions_of(monomial(RationalForm::full_sum, {1}, {1, 0, -1}));
  REQUIRE(full.size() == 3);
  CHECK(full[1].q.c == std::vector<double>{1.1, 0, -1});
  CHECK(full[1].poles.empty());
  CHECK(full[1].pole_distance == doctest::Approx(std::sqrt(1.1) - 1));
  CHECK(full[2].q.c == std::vector<double>{0.1 - 1, 0, 1});
  CHECK(full[2].poles.empty());

  // (x − 1) / (1 − x²/4), unsafe: poles at ±2 are on the line
  const auto unsafe = regions_of(monomial(RationalForm::unsafe, {-1, 1}, {0, -0.25}));
  REQUIRE(unsafe.size() == 1);
  CHECK(unsafe[0].poles == std::vector<std::complex<double>>{-2.0, 2.0});
  CHECK(unsafe[0].zeros == std::vector<std::complex<double>>{1.0});
  CHECK(unsafe[0].pole_distance == 0);
  CHECK(regions_of(monomial(RationalForm::unsafe, {0, 1}, {}))[0].pole_distance == kInfinity);
  CHECK_THROWS_AS(regions_of(monomial(RationalForm::unsafe, {1, NAN}, {})), Error);
}

TEST_CASE("every region's quotient is the function there, and real zeros are listed once") {
  for (const Basis basis : kAllBases)
    for (const RationalForm form :
         {RationalForm::termwise, RationalForm::whole_sum, RationalForm::full_sum}) {
      const RationalFunction g{{basis, form}, {0, 1, 0.25, 1}, {0.3, -0.2, 0.1, 0.4}};
      size_t zeros = 0;
      for (const RationalRegion& region : regions_of(g)) {
        const double low = std::max(region.low, -15.0), high = std::min(region.high, 15.0);
        for (const double share : {0.0, 0.3, 0.9, 1.0}) {
          const double x = low + share * (high - low);
          CHECK(region.p(x) / region.q(x) == doctest::Approx(g(x)).epsilon(1e-11));
        }
        for (const auto& zero : region.zeros) zeros += zero.imag() == 0;
      }
      CHECK(zeros == real_roots(monomial_coefficients(basis, g.c)).size());
    }
}

TEST_CASE("far out, G is a constant, a line or a power") {
  auto check_ends = [](const RationalFunction& g, Asymptote left, Asymptote right) {
    CHECK(asymptote_left(g).limit == left.limit);
    CHECK(asymptote_left(g).slope == left.slope);
    CHECK(asymptote_right(g).limit == right.limit);
    CHECK(asymptote_right(g).slope == right.slope);
  };
  const RationalForm termwise = RationalForm::termwise;
  check_ends(monomial(termwise, {0, 1}, {0, 1}), {0, 0}, {0, 0});
  check_ends(monomial(termwise, {0, 3}, {2}), {-1.5, 0}, {1.5, 0});
  check_ends(monomial(termwise, {1, 0, 2}, {0, 1}), {2, 0}, {2, 0});
  check_ends(monomial(termwise, {0, 0, 3}, {1}), {kInfinity, -3}, {kInfinity, 3});
  check_ends(monomial(termwise, {0, 0, 0, -3}, {0, 2}), {kInfinity, -1.5}, {-kInfinity, -1.5});
  check_ends(monomial(termwise, {0, 0, 0, 1}, {1}), {-kInfinity, kInfinity},
             {kInfinity, kInfinity});
  check_ends(monomial(termwise, {0, 0, 0}, {1}), {0, 0}, {0, 0});
  check_ends(monomial(RationalForm::unsafe, {5, 0, 0}, {0, 0}), {5, 0}, {5, 0});
  // The slopes far out agree.
  for (const RationalPreset* preset : {&hp1_preset(), &hp2_preset(), &pau_preset()}) {
    CHECK(derivatives_of(preset->start, 1e9).slope ==
          doctest::Approx(asymptote_right(preset->start).slope).epsilon(1e-7));
    CHECK(derivatives_of(preset->start, -1e9).slope ==
          doctest::Approx(asymptote_left(preset->start).slope).epsilon(1e-7));
  }
}

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
