#include <algorithm>
#include <array>
#include <cmath>

#include <pade/core/did_you_mean.h>
#include <pade/core/polynomial_basis.h>

namespace pade {

const char* name_of(Basis basis) {
  constexpr std::array kNames{"monomial",  "chebyshev_t", "chebyshev_u", "hermite_he",
                              "hermite_h", "laguerre",    "legendre"};
  static_assert(kNames.size() == kAllBases.size());
  return kNames[static_cast<size_t>(basis)];
}

Basis basis_named(std::string_view name) { return value_named("basis", name, kAllBases); }

Recurrence recurrence_of(Basis basis) {
  Recurrence r{};
  for (int k = 0; k < kMaxDegree; ++k) {
    switch (basis) {
      case Basis::monomial: r.a[k] = 1; break;
      case Basis::chebyshev_t: r.a[k] = k == 0 ? 1 : 2, r.c[k] = 1; break;
      case Basis::chebyshev_u: r.a[k] = 2, r.c[k] = 1; break;
      case Basis::hermite_he: r.a[k] = 1, r.c[k] = k; break;
      case Basis::hermite_h: r.a[k] = 2, r.c[k] = 2 * k; break;
      case Basis::laguerre:
        r.a[k] = -1.0 / (k + 1), r.b[k] = (2.0 * k + 1) / (k + 1), r.c[k] = k / (k + 1.0);
        break;
      case Basis::legendre: r.a[k] = (2.0 * k + 1) / (k + 1), r.c[k] = k / (k + 1.0); break;
    }
  }
  r.c[0] = 0;
  return r;
}

bool MonicRecurrence::is_symmetric() const {
  return sign == 1 && std::all_of(shift.begin(), shift.end(), [](double b) { return b == 0; });
}

MonicRecurrence monic_recurrence_of(Basis basis) {
  const Recurrence r = recurrence_of(basis);
  MonicRecurrence monic{r.a[0] < 0 ? -1.0 : 1.0, {}, {}, {}};
  monic.scale[0] = 1;
  for (int k = 0; k < kMaxDegree; ++k) {
    monic.scale[k + 1] = std::abs(r.a[k]) * monic.scale[k];
    monic.shift[k] = r.b[k] / std::abs(r.a[k]);
    monic.drop[k] = k == 0 ? 0 : r.c[k] / std::abs(r.a[k] * r.a[k - 1]);
  }
  return monic;
}

}  // namespace pade
