#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// The mean of (prediction − target)² over all elements, of rank 0; NaN when there are none.
/// float32 and float64, differentiable in both. Throws Error unless shapes and dtypes are equal.
Tensor mse(const Tensor& prediction, const Tensor& target);

}  // namespace pade
