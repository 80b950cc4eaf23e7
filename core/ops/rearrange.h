#pragma once

#include <vector>

#include <pade/core/tensor.h>

/// Tensors with their axes in another order, cut, joined, and with a border, by copying. Any dtype;
/// float32 and float64 have gradients. Negative axes count from the end.
namespace pade {

/// Two axes change places. For a matrix product use matmul's flags instead: they cost nothing.
Tensor transpose(const Tensor& x, int axis0, int axis1);

/// Axis k of the result is axis axes[k] of `x`: NCHW to NHWC is permute(x, {0, 2, 3, 1}). Throws
/// Error unless `axes` names every axis once.
Tensor permute(const Tensor& x, const std::vector<int>& axes);

/// Elements [begin, end) of `axis`. Shares storage for axis 0, as Tensor::slice does. Throws Error
/// unless 0 <= begin <= end <= x.extent(axis).
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);

/// The tensors one after another along `axis`. Throws Error unless they have one dtype, one device
/// and one shape but for that axis, and when there are none.
Tensor concat(const std::vector<Tensor>& tensors, int axis);

/// How many elements are added in front of an axis and behind it.
struct AxisPadding {
  int64_t before = 0;
  int64_t after = 0;
};

/// `x` with a border of `value` (which an integer dtype takes as Tensor::full does) around it; one
/// AxisPadding per axis: pad(images, {{0, 0}, {0, 0}, {4, 4}, {4, 4}}). Throws Error on negative
/// counts.
Tensor pad(const Tensor& x, const std::vector<AxisPadding>& padding, double value = 0);

}  // namespace pade
