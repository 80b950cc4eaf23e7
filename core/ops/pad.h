#pragma once

#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// How many elements are added in front of an axis and behind it.
struct AxisPadding {
  int64_t before = 0;
  int64_t after = 0;
};

/// `x` with a border of `value` around it; one AxisPadding per axis:
/// pad(images, {{0, 0}, {0, 0}, {4, 4}, {4, 4}}). Any dtype (an integer one takes `value` as
/// Tensor::full does); float32 and float64 have gradients. Throws Error on negative counts.
Tensor pad(const Tensor& x, const std::vector<AxisPadding>& padding, double value = 0);

}  // namespace pade
