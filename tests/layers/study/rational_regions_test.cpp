#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <utility>

#include <pade/core/error.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/derivatives.h>
#include <pade/layers/study/rational_regions.h>

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
