#pragma once

#include <vector>

#include <pade/core/tensor.h>

/// Reordering of axes, by copying. Any dtype; float32 and float64 have gradients. For a matrix
/// product use matmul's transpose flags instead: they cost nothing.
namespace pade {

/// Two axes change places; negative axes count from the end.
Tensor transpose(const Tensor& x, int axis0, int axis1);

/// Axis k of the result is axis axes[k] of `x`: NCHW to NHWC is permute(x, {0, 2, 3, 1}). Throws
/// Error unless `axes` names every axis once; negative axes count from the end.
Tensor permute(const Tensor& x, const std::vector<int>& axes);

}  // namespace pade
