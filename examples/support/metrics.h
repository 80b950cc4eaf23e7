#pragma once

#include <cstdint>

#include <pade/core/distributed/communicator.h>
#include <pade/core/tensor.h>

namespace pade::support {

/// Mean cross-entropy and share of right answers.
struct Evaluation {
  double loss = 0;
  double accuracy = 0;
};

/// Sums over batches, from which the means of an epoch come.
struct Totals {
  double loss = 0;  ///< of all images together
  int64_t correct = 0;
  int64_t images = 0;

  /// `loss` is the batch's mean; logits [N, classes], labels [N].
  void add(const Tensor& loss, const Tensor& logits, const Tensor& labels);
  /// Those of all ranks together.
  Totals over(Communicator& ranks) const;
  Evaluation mean() const;
};

struct EpochMetrics {
  int64_t epoch = 0;  ///< from 1
  double lr = 0;      ///< of the weights, in the epoch's last step
  Evaluation train, test;
  double seconds = 0;
  double images_per_second = 0;
};

}  // namespace pade::support
