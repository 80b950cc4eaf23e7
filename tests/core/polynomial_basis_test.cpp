#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/core/polynomial_basis.h>

using namespace pade;

namespace {

/// The fourth polynomial of each family, as it is printed in tables.
double fourth(Basis basis, double x) {
  const double x2 = x * x, x3 = x2 * x, x4 = x2 * x2;
  switch (basis) {
    case Basis::monomial: return x4;
    case Basis::chebyshev_t: return 8 * x4 - 8 * x2 + 1;
    case Basis::chebyshev_u: return 16 * x4 - 12 * x2 + 1;
    case Basis::hermite_he: return x4 - 6 * x2 + 3;
    case Basis::hermite_h: return 16 * x4 - 48 * x2 + 12;
    case Basis::laguerre: return (x4 - 16 * x3 + 72 * x2 - 96 * x + 24) / 24;
    case Basis::legendre: return (35 * x4 - 30 * x2 + 3) / 8;
  }
  return NAN;
}

}  // namespace

TEST_CASE("the fourth polynomial of each family is the one in the tables") {
  for (const Basis basis : kAllBases)
    for (const double x : {-1.7, -0.3, 0.0, 0.9, 2.5})
      CHECK(evaluate_basis(basis, x)[4] == doctest::Approx(fourth(basis, x)).epsilon(1e-12));
}

TEST_CASE("the derivatives of each family are its slopes") {
  for (const Basis basis : kAllBases)
    for (const double x : {-1.7, -0.3, 0.0, 0.9, 2.5}) {
      const double h = 1e-5;
      const auto df = differentiate_basis(basis, x);
      const auto above = evaluate_basis(basis, x + h), below = evaluate_basis(basis, x - h);
      for (int k = 0; k <= kMaxDegree; ++k)
        CHECK(df[k] == doctest::Approx((above[k] - below[k]) / (2 * h)).epsilon(1e-6));
    }
}

TEST_CASE("the monic form is the same family") {
  for (const Basis basis : kAllBases) {
    const MonicRecurrence monic = monic_recurrence_of(basis);
    CHECK(monic.is_symmetric() == (basis != Basis::laguerre));
    for (const double x : {-1.7, 0.4, 3.1}) {
      double before = 0, current = 1;
      const auto f = evaluate_basis(basis, x);
      for (int k = 0; k < kMaxDegree; ++k) {
        CHECK(monic.scale[k] > 0);
        const double next = (monic.sign * x + monic.shift[k]) * current - monic.drop[k] * before;
        before = current;
        current = next;
        CHECK(monic.scale[k + 1] * current == doctest::Approx(f[k + 1]).epsilon(1e-10));
      }
    }
  }
}

TEST_CASE("bases have names") {
  for (const Basis basis : kAllBases) CHECK(basis_named(name_of(basis)) == basis);
  CHECK_THROWS_WITH_AS(basis_named("chebyshev"), doctest::Contains("did you mean \"chebyshev_t\"?"),
                       Error);
}
