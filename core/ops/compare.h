#pragma once

#include <pade/core/tensor.h>

/// Comparisons element by element, giving uint8 tensors of 0 and 1, and selection by such a tensor.
/// Every dtype, the same on both sides; shapes broadcast as in arithmetic.h. Comparisons have no
/// gradient. With NaN on either side only not_equal holds.
///
/// A number on the right is compared at the tensor's precision where that is floating (so 0.1
/// equals a float32 0.1), and exactly with integers.
namespace pade {

Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);

Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, double b);

/// a where condition (uint8) is not 0, b elsewhere; all three broadcast. Only the chosen operand
/// gets an element's gradient. Throws Error where a's and b's dtypes differ.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

}  // namespace pade
