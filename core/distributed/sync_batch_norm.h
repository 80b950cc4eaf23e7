#pragma once

#include <pade/core/distributed/communicator.h>
#include <pade/core/ops/batch_norm.h>

namespace pade {

/// batch_norm() in training, by the mean and variance of all ranks' values together; a rank's x may
/// have another N than the others'. Every rank gets the same running statistics. The gradients of
/// gamma and beta are those of this rank's values: summed over the ranks, as DataParallel does,
/// they are the batch's.
///
/// Every rank must call it, and its backward, in the same order as the others. Throws Error as
/// batch_norm() does.
Tensor sync_batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                       Tensor running_mean, Tensor running_var, BatchNormOptions options,
                       Communicator& ranks);

}  // namespace pade
