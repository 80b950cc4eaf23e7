#pragma once

#include <cstdint>

#include <pade/core/tensor.h>

namespace pade::data {

/// Samples that are rows of two tensors of your own, which a Loader makes batches of:
///
///   data::TensorDataset set(x, y);  // x [N, features], float32; y [N, 1], float32
///   for (auto [features, targets] : data::Loader(set, {.batch_size = 32, .shuffle = true})) …
///
/// Features are [N, …], targets [N, …], each of any dtype: int32 [N] are classes for
/// cross_entropy(), floating ones of the network's output shape are values for mse(). Like a Tensor
/// this is a handle that shares storage: no loop may run while the tensors change.
class TensorDataset {
 public:
  /// Throws Error unless both are on the CPU and have as many rows, at least one.
  TensorDataset(const Tensor& features, const Tensor& targets);

  int64_t size() const { return features_.extent(0); }
  const Tensor& features() const { return features_; }
  const Tensor& targets() const { return targets_; }

 private:
  Tensor features_, targets_;
};

}  // namespace pade::data
