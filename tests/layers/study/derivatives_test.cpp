#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <pade/core/error.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/derivatives.h>
#include <pade/layers/study/rational_regions.h>

using namespace pade;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();
constexpr std::array kForms = {RationalForm::termwise, RationalForm::whole_sum,
                               RationalForm::full_sum, RationalForm::unsafe};

/// G as core/ops/rational.h defines it.
long double reference(const RationalFunction& g, long double x) {
  const Recurrence r = recurrence_of(g.options.basis);
  const bool full = g.options.form == RationalForm::full_sum;
  const std::vector<double> d(g.d.begin() + full, g.d.end());
  long double f = 1, before = 0, p = g.c[0], sum = full ? g.d[0] : 0;
  for (size_t k = 1; k < std::max(g.c.size(), d.size() + 1); ++k) {
    const long double next = (r.a[k - 1] * x + r.b[k - 1]) * f - r.c[k - 1] * before;
    before = f, f = next;
    if (k < g.c.size()) p += g.c[k] * f;
    if (k > d.size()) continue;
    const long double term = d[k - 1] * f;
    sum += g.options.form == RationalForm::termwise ? std::abs(term) : term;
  }
  if (full) return p / (0.1L + std::abs(sum));
  return p / (1 + (g.options.form == RationalForm::whole_sum ? std::abs(sum) : sum));
}

/// Central differences of order h⁴; with h = 2⁻¹⁰ both their truncation and the rounding of long
/// doubles divided by h² are below 1e-10 for functions whose derivatives are near 1.
Derivatives differences(const RationalFunction& g, long double x) {
  const long double h = 1.0L / 1024;
  const long double far_left = reference(g, x - 2 * h), left = reference(g, x - h),
                    here = reference(g, x), right = reference(g, x + h),
                    far_right = reference(g, x + 2 * h);
  return {static_cast<double>(here),
          static_cast<double>((far_left - 8 * left + 8 * right - far_right) / (12 * h)),
          static_cast<double>((-far_left + 16 * left - 30 * here + 16 * right - far_right) /
                              (12 * h * h))};
}

/// x² / (1 + x²) in that basis, in the form whose Q is 1 + Σ d_j f_j.
RationalFunction square_over_one_plus_square(Basis basis) {
  const RationalOptions options{basis, RationalForm::unsafe};
  switch (basis) {
    case Basis::monomial: return {options, {0, 0, 1}, {0, 1}};
    case Basis::hermite_he: return {options, {0.5, 0, 0.5}, {0, 0.5}};
    case Basis::legendre: return {options, {0.25, 0, 0.5}, {0, 0.5}};
    case Basis::chebyshev_t: return {options, {1.0 / 3, 0, 1.0 / 3}, {0, 1.0 / 3}};
    default: return {};
  }
}

}  // namespace

TEST_CASE("derivatives are the limits of differences, in all bases and forms") {
  int checked = 0;
  for (const Basis basis : kAllBases)
    for (const RationalForm form : kForms) {
      RationalFunction g{
          {basis, form}, {0.3, -0.8, 0.5, 0.1, -0.05, 0.02}, {0.1, 0.12, -0.02, 0.06}};
      if (form == RationalForm::full_sum) g.d.insert(g.d.begin(), 3);
      CAPTURE(std::string(name_of(basis)));
      CAPTURE(std::string(name_of(form)));
      for (const double x : {-2.7, -1.3, -0.41, 0.31, 0.9, 1.77, 3.2}) {
        CAPTURE(x);
        bool near_break = false;
        for (const double kink : kinks_of(g)) near_break |= std::abs(x - kink) < 0.01;
        for (const RationalRegion& region : regions_of(g))
          for (const auto& pole : region.poles) near_break |= std::abs(x - pole) < 0.2;
        if (near_break) continue;
        ++checked;
        const Derivatives exact = derivatives_of(g, x), expected = differences(g, x);
        CHECK(exact.value == doctest::Approx(expected.value).epsilon(1e-13));
        CHECK(exact.slope == doctest::Approx(expected.slope).epsilon(1e-8));
        CHECK(exact.curvature == doctest::Approx(expected.curvature).epsilon(1e-6));
      }
    }
  CHECK(checked >= 160);
}

TEST_CASE("derivatives by the coefficients are the limits of differences, in all bases and forms") {
  for (const Basis basis : kAllBases)
    for (const RationalForm form : kForms) {
      RationalFunction g{{basis, form}, {0.3, -0.8, 0.5, 0.1}, {0.1, -0.12, 0.02}};
      if (form == RationalForm::full_sum) g.d.insert(g.d.begin(), -0.4);
      CAPTURE(std::string(name_of(basis)));
      CAPTURE(std::string(name_of(form)));
      for (const double x : {-2.7, -0.41, 0.31, 1.77}) {
        CAPTURE(x);
        const BasisDerivatives at = differentiate_basis(basis, x);
        const RationalPoint point(g, at);
        for (size_t k = 0; k < g.c.size() + g.d.size(); ++k) {
          const auto moved_by = [&](double step) {
            RationalFunction moved = g;
            (k < g.c.size() ? moved.c[k] : moved.d[k - g.c.size()]) += step;
            return derivatives_of(moved, x);
          };
          const double h = 1e-6;
          const Derivatives above = moved_by(h), below = moved_by(-h);
          CHECK(point.value_by(k) ==
                doctest::Approx((above.value - below.value) / (2 * h)).epsilon(1e-6));
          CHECK(point.slope_by(k) ==
                doctest::Approx((above.slope - below.slope) / (2 * h)).epsilon(1e-6));
        }
      }
    }
}

TEST_CASE("derivatives of x²/(1 + x²), in several bases and far out") {
  for (const Basis basis :
       {Basis::monomial, Basis::hermite_he, Basis::legendre, Basis::chebyshev_t}) {
    CAPTURE(std::string(name_of(basis)));
    const RationalFunction g = square_over_one_plus_square(basis);
    for (const double x : {0.0, 0.5, -2.0, 30.0, -1e4, 1e8, 1e100}) {
      CAPTURE(x);
      const Derivatives at = derivatives_of(g, x);
      const double s = std::max(1.0, std::abs(x)), u = 1 / (1 + x * x);
      CHECK(std::abs(at.value - (1 - u)) <= 4 * kEps);
      CHECK(std::abs(at.slope - 2 * x * u * u) <= 16 * kEps / s);
      CHECK(std::abs(at.curvature - (2 * u * u - 8 * x * u * (x * u) * u)) <= 64 * kEps / s / s);
    }
  }
}

TEST_CASE("derivatives of x/(1 + |x|) and of 1/(1 + |x|), where sgn(0) = 1") {
  const RationalFunction soft_sign{{Basis::monomial, RationalForm::termwise}, {0, 1}, {-1}};
  for (const double x : {-3.0, -0.25, 0.0, 1.0, 7.0}) {
    const double q = 1 + std::abs(x), sign = x < 0 ? -1 : 1;
    const Derivatives at = derivatives_of(soft_sign, x);
    CHECK(at.value == doctest::Approx(x / q).epsilon(1e-15));
    CHECK(at.slope == doctest::Approx(1 / (q * q)).epsilon(1e-14));
    CHECK(at.curvature == doctest::Approx(-2 * sign / (q * q * q)).epsilon(1e-13));
  }
  for (const RationalForm form : {RationalForm::termwise, RationalForm::whole_sum}) {
    const RationalFunction peak{{Basis::monomial, form}, {1}, {1}};
    CHECK(derivatives_of(peak, 0.0).slope == -1);
    CHECK(derivatives_of(peak, -1e-9).slope == doctest::Approx(1).epsilon(1e-8));
  }
}

TEST_CASE("derivatives do not overflow before the function does") {
  // Degrees 5/4: the slope goes to that of the line c_5/d_4 x, in the basis' leading coefficients.
  for (const RationalPreset* preset : {&hp1_preset(), &hp2_preset(), &pau_preset()}) {
    const RationalFunction& g = preset->start;
    const auto monic = monic_recurrence_of(g.options.basis);
    const double line = g.c[5] * monic.scale[5] / (g.d[3] * monic.scale[4]);
    for (const double x : {1e20, 1e200, -1e300}) {
      const Derivatives at = derivatives_of(g, x);
      CHECK(at.value / x == doctest::Approx(line).epsilon(1e-14));
      CHECK(at.slope == doctest::Approx(line).epsilon(1e-14));
      CHECK(std::abs(at.curvature) <= 64 * kEps * std::abs(line / x));
    }
  }
  const Derivatives quartic = derivatives_of(hermite_polynomial(4), 1e100);  // ~ −x⁴/(24 √(2π))
  CHECK(quartic.curvature == doctest::Approx(-12e200 / 24 / std::sqrt(2 * std::acos(-1.0))));
  CHECK(derivatives_of(hermite_polynomial(4), 1e90).slope ==
        doctest::Approx(-4e270 / 24 / std::sqrt(2 * std::acos(-1.0))));
  // Zeros at the end do not count as degrees.
  const RationalFunction padded{
      {Basis::hermite_he, RationalForm::termwise}, {0, 2, 0, 0}, {0, 0, 0, 0}};
  CHECK(derivatives_of(padded, 1e200).slope == 2);
  CHECK_THROWS_WITH_AS(derivatives_of(padded, INFINITY),
                       "derivatives_of: x is inf; it must be finite", Error);
}

TEST_CASE("derivatives of a quotient of polynomials are those of the function it was made of") {
  for (const Basis basis : kAllBases) {
    const RationalFunction g{{basis, RationalForm::termwise}, {0.3, -0.8, 0.5, 0.1}, {0.1, 0.2}};
    for (const RationalRegion& region : regions_of(g))
      for (const double x : {-50.0, -3.0, -0.6, 0.1, 0.8, 2.0, 1e6}) {
        if (x <= region.low || x >= region.high) continue;
        const Derivatives a = derivatives_of(g, x), b = derivatives_of(region.p, region.q, x);
        const double s = std::max(1.0, std::abs(x));
        CHECK(b.value == doctest::Approx(a.value).epsilon(1e-13));
        CHECK(std::abs(b.slope - a.slope) * s <= 1e-13 * (1 + std::abs(a.value)));
        CHECK(std::abs(b.curvature - a.curvature) * s * s <= 1e-12 * (1 + std::abs(a.value)));
      }
  }
}
