#pragma once

#include <array>
#include <string_view>

namespace pade {

/// The families of polynomials that a rational activation may be written in.
enum class Basis {
  monomial,     ///< xⁿ
  chebyshev_t,  ///< first kind
  chebyshev_u,  ///< second kind
  hermite_he,   ///< probabilists': the basis of HP-1
  hermite_h,    ///< physicists': the basis of HP-2
  laguerre,
  legendre,
};
inline constexpr std::array kAllBases = {Basis::monomial,   Basis::chebyshev_t, Basis::chebyshev_u,
                                         Basis::hermite_he, Basis::hermite_h,   Basis::laguerre,
                                         Basis::legendre};

/// "monomial", "chebyshev_t", …
const char* name_of(Basis basis);
/// The basis of that name. Throws Error that lists the names.
Basis basis_named(std::string_view name);

/// The highest degree of a numerator or a denominator.
inline constexpr int kMaxDegree = 8;

/// What defines a family: f_0 = 1 and f_{k+1} = (a_k x + b_k) f_k − c_k f_{k−1}. All a_k of a
/// family have the same sign, and c_0 = 0.
struct Recurrence {
  std::array<double, kMaxDegree> a, b, c;
};
Recurrence recurrence_of(Basis basis);

/// The same family with its leading coefficients divided out, which saves a multiplication per
/// degree: f_k = scale_k e_k with scale_k > 0, and
///   e_0 = 1,  e_{k+1} = (sign · x + shift_k) e_k − drop_k e_{k−1}.
struct MonicRecurrence {
  double sign;  ///< +1, or −1 for families in powers of −x (Laguerre)
  std::array<double, kMaxDegree> shift, drop;
  std::array<double, kMaxDegree + 1> scale;

  /// Whether x is used as it is: sign is 1 and every shift is 0.
  bool is_symmetric() const;
};
MonicRecurrence monic_recurrence_of(Basis basis);

}  // namespace pade
