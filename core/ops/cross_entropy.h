#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// What becomes of the losses of a batch.
enum class Reduction { mean, sum, none };

struct CrossEntropyOptions {
  double label_smoothing = 0;             ///< ε in [0, 1]
  Reduction reduction = Reduction::mean;  ///< none: a loss per sample, [N]
};

/// −Σ_k t_k · log_softmax(logits)_k of each sample, in one numerically stable step. The target t is
/// 1 − ε at the label plus ε/K everywhere. logits [N, K], float32 or float64; labels [N], int32 or
/// uint8, in [0, K). The mean of no samples (N = 0) is NaN. Throws Error on other shapes and dtypes
/// and where a label is out of range. On the GPU nobody waits to look at the labels: one that is
/// out of range makes the loss, and its row of the gradient, NaN.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, CrossEntropyOptions options = {});

}  // namespace pade
