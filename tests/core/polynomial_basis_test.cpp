#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/core/polynomial_basis.h>

using namespace pade;

TEST_CASE("the monic form is the same family") {
  for (const Basis basis : kAllBases) {
    const MonicRecurrence monic = monic_recurrence_of(basis);
    CHECK(monic.is_symmetric() == (basis != Basis::laguerre));
    for (const double x : {-1.7, 0.4, 3.1}) {
      const Recurrence r = recurrence_of(basis);
      double before = 0, current = 1, f_before = 0, f = 1;
      for (int k = 0; k < kMaxDegree; ++k) {
        const double f_next = (r.a[k] * x + r.b[k]) * f - r.c[k] * f_before;
        f_before = f;
        f = f_next;
        CHECK(monic.scale[k] > 0);
        const double next = (monic.sign * x + monic.shift[k]) * current - monic.drop[k] * before;
        before = current;
        current = next;
        CHECK(monic.scale[k + 1] * current == doctest::Approx(f).epsilon(1e-10));
      }
    }
  }
}

TEST_CASE("bases have names") {
  for (const Basis basis : kAllBases) CHECK(basis_named(name_of(basis)) == basis);
  CHECK_THROWS_WITH_AS(basis_named("chebyshev"), doctest::Contains("did you mean \"chebyshev_t\"?"),
                       Error);
}
