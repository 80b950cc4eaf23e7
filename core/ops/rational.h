#pragma once

#include <string_view>

#include <pade/core/polynomial_basis.h>
#include <pade/core/tensor.h>

namespace pade {

/// How the denominator is kept away from zero. Equations of arXiv:2106.09693.
enum class RationalForm {
  termwise,   ///< Q = 1 + Σ |d_j| |f_j(x)|   eqs. 4 and 7: safe PAU, safe OPAU, HP-1, HP-2
  whole_sum,  ///< Q = 1 + |Σ d_j f_j(x)|     eq. 5
  full_sum,   ///< Q = 1/10 + |Σ d_j f_j(x)|, from d_0 on: ml-research's version C
  unsafe,     ///< Q = 1 + Σ d_j f_j(x)       eqs. 3 and 6; has poles, for study
};
const char* name_of(RationalForm form);
/// The form of that name. Throws Error that lists the names.
RationalForm rational_form_named(std::string_view name);
/// The j of the first d_j: 0 in full_sum, else 1. A denominator of degree n has d_first … d_n.
constexpr int first_denominator(RationalForm form) {
  return form == RationalForm::full_sum ? 0 : 1;
}
/// Whether Q has the magnitude of the whole sum.
constexpr bool takes_magnitude_of_sum(RationalForm form) {
  return form == RationalForm::whole_sum || form == RationalForm::full_sum;
}
/// What Q is where the sum is 0: 1/10 in full_sum, else 1.
constexpr double denominator_constant(RationalForm form) {
  return form == RationalForm::full_sum ? 0.1 : 1;
}

struct RationalOptions {
  Basis basis = Basis::hermite_he;
  RationalForm form = RationalForm::termwise;
};

/// The learned activation, element by element:
///
///   G(x) = P(x) / Q(x),   P = Σ_{i=0..m} c_i f_i(x),   Q from the d_j as the form says,
///
/// where f_i are the polynomials of the basis.
///
///   x            any shape; float32 or float64
///   numerator    c: [m+1], or [groups, m+1]    of x's dtype, m <= 8
///   denominator  d: [n],   or [groups, n]      of x's dtype, n <= 8; from d_1 on
///                in full_sum [n+1], or [groups, n+1], from d_0 on
///
/// With one group all elements share one function. With more, the channels (axis 1 of x) are cut
/// into that many equal runs with a function each; groups = channels gives one per channel.
///
/// Derivatives:  dG/dx = (P′ − G Q′) / Q,  ∂G/∂c_i = f_i / Q,  and ∂G/∂d_j =
///   −sgn(d_j) |f_j| G/Q  (termwise),  −sgn(Σ d_k f_k) f_j G/Q  (whole_sum and full_sum),
///   −f_j G/Q  (unsafe).
/// At kinks sgn(0) = +1, so that a coefficient that starts at 0 still learns.
///
/// full_sum holds whole_sum, at c_i/10, d_j/10 and d_0 = 0. Its kinks are where the sum with d_0
/// changes its sign; on an interval where it does not, full_sum can be any P/Q with Q > 0 there. As
/// Q >= 1/10, |G| <= 10 |P|. Far out it grows as the others do, with x^{m−n}.
///
/// In the safe forms every finite x gives a finite value and slope when m <= n + 1 and d_n ≠ 0 (a
/// true value beyond the dtype's range is infinite). The sums for the coefficients' gradients are
/// taken in float64 over fixed blocks in a fixed order: the same bits for any number of threads,
/// and on every GPU. Backward saves x and the coefficients, nothing else.
Tensor rational(const Tensor& x, const Tensor& numerator, const Tensor& denominator,
                RationalOptions options = {});

}  // namespace pade
