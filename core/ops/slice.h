#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// Elements [begin, end) of `axis` (negative: from the end). Shares storage for axis 0, as
/// Tensor::slice does, and copies for the others. Any dtype; float32 and float64 have gradients.
/// Throws Error unless 0 <= begin <= end <= x.extent(axis).
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);

}  // namespace pade
