#pragma once

#include <pade/core/tensor.h>

namespace pade {

struct BatchNormOptions {
  bool training = true;   ///< normalise by the batch's statistics, and update the running ones
  double momentum = 0.1;  ///< running = (1 − momentum) · running + momentum · batch
  double eps = 1e-5;
};

/// Batch normalisation per channel (Ioffe and Szegedy 2015), as PyTorch has it:
///
///   y = gamma · (x − mean) / √(variance + eps) + beta
///
///   x                          [N, C, …], float32 or float64
///   gamma, beta                [C] of x's dtype; undefined ones stand for 1 and 0
///   running_mean, running_var  [C] of x's dtype; when training updated in place (undefined ones
///                              are left out), otherwise used
///
/// In training, mean and (biased) variance are the batch's, over all axes but C, and the running
/// variance gets the unbiased one. Statistics are summed in float64 around a value of the channel,
/// so that a large common offset costs no digits.
///
/// On the CPU the statistics are computed at once, y when it is first read, or in one pass with the
/// elementwise op or rational() that takes it (core/ops/pending_batch_norm.h).
///
/// Throws Error where shapes, dtypes or devices do not agree, and in training with fewer than 2
/// values per channel, or where what is updated shares memory with another argument.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                  Tensor running_var, BatchNormOptions options = {});

}  // namespace pade
