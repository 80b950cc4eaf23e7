#include <algorithm>

#include <pade/core/kernels/copy_loops.h>

namespace pade {

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
