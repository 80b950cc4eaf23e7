#pragma once

#include <pade/core/ops/elementwise.h>
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
/// Throws Error where shapes, dtypes or devices do not agree, and in training with fewer than 2
/// values per channel, or where what is updated shares memory with another argument.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                  Tensor running_var, BatchNormOptions options = {});

/// apply(f, batch_norm(x, gamma, beta, running_mean, running_var, options)): on the CPU in one pass
/// over memory, and without a tensor between the two, where all of x has one function. A tape shows
/// that as one op, `batch_norm+relu`, which saves x alone and computes the rest again.
Tensor norm_act(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                Tensor running_var, BatchNormOptions options, const ElementwiseFunction& f);

}  // namespace pade
