#pragma once

#include <cstdint>
#include <vector>

#include <pade/core/kernels/problems.h>
#include <pade/core/tensor.h>

/// The one loop behind permute, concat, slice and pad and their derivatives.
namespace pade {

/// Axes that copy a box of this shape between tensors with the shapes `from` and `to` (all of one
/// rank).
std::vector<CopyAxis> box_axes(const Shape& box, const Shape& from, const Shape& to);
/// How many elements lie before the one at `index` of `axis` and 0 of the other axes.
inline int64_t offset_of(const Shape& shape, int axis, int64_t index) {
  return index * shape.size_from(axis + 1);
}

/// Kernels::strided_copy, where `to` is.
void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset);

}  // namespace pade
