#pragma once

#include <vector>

#include <pade/core/tensor.h>

/// The one loop behind permute, concat, slice and pad and their derivatives.
namespace pade {

/// One loop of a copy. Strides count elements.
struct CopyAxis {
  int64_t extent, from_stride, to_stride;
};

/// Axes that copy a box of this shape between tensors with the shapes `from` and `to` (all of one
/// rank).
std::vector<CopyAxis> box_axes(const Shape& box, const Shape& from, const Shape& to);
/// How many elements lie before the one at `index` of `axis` and 0 of the other axes.
inline int64_t offset_of(const Shape& shape, int axis, int64_t index) {
  return index * shape.size_from(axis + 1);
}

namespace cpu {

/// to[to_offset + Σ i_k · to_stride_k] = from[from_offset + Σ i_k · from_stride_k] at every index i
/// of the axes. A stride of `from` may be 0; no element of `to` is named twice, and what is not
/// named keeps its value. Any dtype, the same on both sides.
void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset);

}  // namespace cpu
}  // namespace pade
