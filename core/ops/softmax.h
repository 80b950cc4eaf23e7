#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// exp(x) / Σ exp(x) along `axis` (negative: from the end), without overflow for finite x.
/// −Inf has probability 0; a line that holds NaN or +Inf, or nothing but −Inf, becomes NaN.
/// float32 and float64.
Tensor softmax(const Tensor& x, int axis = -1);
/// The logarithm of softmax(x, axis), accurate for small probabilities too.
Tensor log_softmax(const Tensor& x, int axis = -1);

}  // namespace pade
