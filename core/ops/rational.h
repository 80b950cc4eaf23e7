#pragma once

#include <string_view>

#include <pade/core/polynomial_basis.h>
#include <pade/core/tensor.h>

namespace pade {

/// How the denominator is kept away from zero. Equations of arXiv:2106.09693.
enum class RationalForm {
  termwise,   ///< Q = 1 + Σ |d_j| |f_j(x)|   eqs. 4 and 7: safe PAU, safe OPAU, HP-1, HP-2
  whole_sum,  ///< Q = 1 + |Σ d_j f_j(x)|     eq. 5
  unsafe,     ///< Q = 1 + Σ d_j f_j(x)       eqs. 3 and 6; has poles, for study
};
const char* name_of(RationalForm form);
/// The form of that name. Throws Error that lists the names.
RationalForm rational_form_named(std::string_view name);

struct RationalOptions {
  Basis basis = Basis::hermite_he;
  RationalForm form = RationalForm::termwise;
};

/// The learned activation, element by element:
///
///   G(x) = P(x) / Q(x),   P = Σ_{i=0..m} c_i f_i(x),   Q from d_1 … d_n as the form says,
///
/// where f_i are the polynomials of the basis.
///
///   x            any shape; float32 or float64
///   numerator    c: [m+1], or [groups, m+1]    of x's dtype, m <= 8
///   denominator  d: [n],   or [groups, n]      of x's dtype, n <= 8
///
/// With one group all elements share one function. With more, the channels (axis 1 of x) are cut
/// into that many equal runs with a function each; groups = channels gives one per channel.
///
/// Derivatives:  dG/dx = (P′ − G Q′) / Q,  ∂G/∂c_i = f_i / Q,  and ∂G/∂d_j =
///   −sgn(d_j) |f_j| G/Q  (termwise),  −sgn(Σ d_k f_k) f_j G/Q  (whole_sum),  −f_j G/Q  (unsafe).
/// At kinks sgn(0) = +1, so that a coefficient that starts at 0 still learns.
///
/// In the safe forms every finite x gives a finite value and slope when m <= n + 1 and d_n ≠ 0 (a
/// true value beyond the dtype's range is infinite). The sums for the coefficients' gradients are
/// taken in float64 over fixed blocks in a fixed order: the same bits for any number of threads,
/// and on every GPU. Backward saves x and the coefficients, nothing else.
Tensor rational(const Tensor& x, const Tensor& numerator, const Tensor& denominator,
                RationalOptions options = {});

}  // namespace pade
