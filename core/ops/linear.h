#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// The fully connected layer, y = x · weightᵀ + bias: x [N, in], weight [out, in] (PyTorch's
/// layout), bias [out] or undefined for none; y is [N, out]. In the place of N there may be any
/// axes, or none. float32 and float64. Throws Error when shapes or dtypes do not agree.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace pade
