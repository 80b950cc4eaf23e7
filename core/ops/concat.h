#pragma once

#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// The tensors one after another along `axis` (negative: from the end), copied. All of one dtype
/// (any; float32 and float64 have gradients) and of one shape but for that axis. Throws Error
/// otherwise, and when there are none.
Tensor concat(const std::vector<Tensor>& tensors, int axis);

}  // namespace pade
