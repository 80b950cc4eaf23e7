#pragma once

#include <pade/core/rational_form.h>
#include <pade/core/tensor.h>

namespace pade {

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
/// full_sum contains whole_sum: the case c_i/10, d_j/10, d_0 = 0. Its kinks are where the sum with
/// d_0 changes its sign; on an interval where it does not, full_sum can be any P/Q with Q > 0
/// there. As Q >= 1/10, |G| <= 10 |P|. Far out it grows as the others do, with x^{m−n}.
///
/// In the safe forms every finite x gives a finite value and slope when m <= n + 1 and d_n ≠ 0 (a
/// true value beyond the dtype's range is infinite). The sums for the coefficients' gradients are
/// taken in float64 over fixed blocks in a fixed order: the same bits for any number of threads,
/// and on every GPU. Backward saves x and the coefficients, nothing else.
Tensor rational(const Tensor& x, const Tensor& numerator, const Tensor& denominator,
                RationalOptions options = {});

}  // namespace pade
