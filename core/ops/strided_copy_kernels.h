#pragma once

#include <optional>
#include <vector>

#include <pade/core/ops/broadcast.h>
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

/// to[to_offset + Σ i_k · to_stride_k] = from[from_offset + Σ i_k · from_stride_k] at every index i
/// of the axes. A stride of `from` may be 0; no element of `to` is named twice, and what is not
/// named keeps its value. Any dtype, the same on both sides; both on one device.
void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset);

/// The operands of a copy's loop nest.
inline constexpr int kFrom = 0, kTo = 1;

/// The loops of a copy, without axes of extent 1, and with one axis for neighbours that are walked
/// as one.
LoopNest copy_loops(const std::vector<CopyAxis>& axes);

/// A matrix transposition at every position of the other axes: what is read is contiguous along
/// `rows`, what is written along `columns`.
struct Transposition {
  LoopNest others;
  LoopNest::Axis rows, columns;
};
/// Empty where what is read is contiguous along no axis, or along the innermost one as well.
std::optional<Transposition> as_transposition(const LoopNest& nest);

namespace cpu {

decltype(pade::strided_copy) strided_copy;

}  // namespace cpu

namespace cuda {

decltype(pade::strided_copy) strided_copy;

}  // namespace cuda
}  // namespace pade
