#pragma once

#include <pade/core/ops/arithmetic.h>
#include <pade/core/tensor.h>

/// Comparisons element by element, giving uint8 tensors of 0 and 1, and selection by such a tensor.
/// Every dtype, the same on both sides; shapes broadcast as in arithmetic.h. Comparisons have no
/// gradient. With NaN on either side only not_equal holds.
///
/// A number on the right is compared at the tensor's precision where that is floating (so 0.1
/// equals a float32 0.1), and exactly with integers.
///
///   x * (x > 0)                             a mask is multiplied with (core/ops/arithmetic.h)
///   where(x > 0, x, 0.1 * x)
///   sum((x > 0).to(DType::float32))         counts
namespace pade {

Tensor equal(const Tensor& a, const TensorOrNumber& b);
Tensor not_equal(const Tensor& a, const TensorOrNumber& b);
Tensor less(const Tensor& a, const TensorOrNumber& b);
Tensor less_equal(const Tensor& a, const TensorOrNumber& b);
Tensor greater(const Tensor& a, const TensorOrNumber& b);
Tensor greater_equal(const Tensor& a, const TensorOrNumber& b);

// There is no == and no !=, from which C++ expects a bool: equal() and not_equal() stand for them.
inline Tensor operator<(const Tensor& a, const TensorOrNumber& b) { return less(a, b); }
inline Tensor operator<=(const Tensor& a, const TensorOrNumber& b) { return less_equal(a, b); }
inline Tensor operator>(const Tensor& a, const TensorOrNumber& b) { return greater(a, b); }
inline Tensor operator>=(const Tensor& a, const TensorOrNumber& b) { return greater_equal(a, b); }
inline Tensor operator<(double a, const Tensor& b) { return greater(b, a); }
inline Tensor operator<=(double a, const Tensor& b) { return greater_equal(b, a); }
inline Tensor operator>(double a, const Tensor& b) { return less(b, a); }
inline Tensor operator>=(double a, const Tensor& b) { return less_equal(b, a); }

/// a where condition (uint8) is not 0, b elsewhere; all three broadcast. Only the chosen operand
/// gets an element's gradient. Throws Error where a's and b's dtypes differ, and for two numbers.
Tensor where(const Tensor& condition, const TensorOrNumber& a, const TensorOrNumber& b);

}  // namespace pade
