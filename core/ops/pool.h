#pragma once

#include <pade/core/size2.h>
#include <pade/core/tensor.h>

namespace pade {

/// The largest value of each window: [N, C, H, W] → [N, C, OH, OW], OH = ⌊(H + 2·padding − kernel)
/// / stride⌋ + 1. float32 and float64. Padding never wins; where values are equal the first gets
/// the gradient; NaN wins. Throws Error when no window fits, and for a padding above half the
/// kernel.
Tensor max_pool2d(const Tensor& x, Size2 kernel, Size2 stride, Size2 padding = 0);
inline Tensor max_pool2d(const Tensor& x, Size2 kernel) { return max_pool2d(x, kernel, kernel); }

/// The mean of each window. Padding counts as zeros, or, with count_padding = false, not at all.
Tensor avg_pool2d(const Tensor& x, Size2 kernel, Size2 stride, Size2 padding = 0,
                  bool count_padding = true);
inline Tensor avg_pool2d(const Tensor& x, Size2 kernel) { return avg_pool2d(x, kernel, kernel); }

/// The mean of every channel: [N, C, H, W] → [N, C, 1, 1]. Throws Error for an empty image.
Tensor global_avg_pool2d(const Tensor& x);

}  // namespace pade
