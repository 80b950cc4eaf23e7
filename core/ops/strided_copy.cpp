#include <algorithm>
#include <optional>

#include <pade/core/device_choice.h>
#include <pade/core/ops/strided_copy_kernels.h>

namespace pade {

std::vector<CopyAxis> box_axes(const Shape& box, const Shape& from, const Shape& to) {
  std::vector<CopyAxis> axes;
  for (int axis = 0; axis < box.rank(); ++axis)
    axes.push_back({box[axis], from.size_from(axis + 1), to.size_from(axis + 1)});
  return axes;
}

void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset) {
  PADE_ON_DEVICE_OF(to, strided_copy(axes, from, from_offset, to, to_offset));
}

LoopNest copy_loops(const std::vector<CopyAxis>& axes) {
  LoopNest nest;
  for (const CopyAxis& axis : axes) {
    if (axis.extent == 1) continue;
    const LoopNest::Axis loop{axis.extent, {axis.from_stride, axis.to_stride}};
    const bool continues = nest.rank > 0 &&
                           nest.inner().strides[kFrom] == axis.extent * axis.from_stride &&
                           nest.inner().strides[kTo] == axis.extent * axis.to_stride;
    if (continues)
      nest.axes[nest.rank - 1] = {nest.inner().extent * axis.extent, loop.strides};
    else
      nest.axes[nest.rank++] = loop;
  }
  if (nest.rank == 0) nest.axes[nest.rank++] = {1, {1, 1}};
  return nest;
}

std::optional<Transposition> as_transposition(const LoopNest& nest) {
  const LoopNest::Axis& inner = nest.inner();
  const auto end = nest.axes.begin() + nest.rank;
  const auto rows = std::find_if(
      nest.axes.begin(), end, [](const LoopNest::Axis& axis) { return axis.strides[kFrom] == 1; });
  if (inner.strides[kTo] != 1 || inner.strides[kFrom] == 1 || rows == end) return {};
  Transposition transposition{{}, *rows, inner};
  LoopNest& others = transposition.others;
  for (auto axis = nest.axes.begin(); axis != end - 1; ++axis)
    if (axis != rows) others.axes[others.rank++] = *axis;
  return transposition;
}

}  // namespace pade
