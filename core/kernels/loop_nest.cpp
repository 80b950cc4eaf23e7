#include <algorithm>

#include <pade/core/kernels/loop_nest.h>

namespace pade {

int64_t aligned_extent(const Shape& operand, int rank, int axis) {
  const int own = axis - (rank - operand.rank());
  return own < 0 ? 1 : operand[own];
}

void LoopNest::append(const Axis& loop) {
  if (loop.extent == 1) return;
  bool continues = rank > 0;
  for (size_t k = 0; k < loop.strides.size() && continues; ++k)
    continues = inner().strides[k] == loop.strides[k] * loop.extent;
  if (continues)
    axes[rank - 1] = {inner().extent * loop.extent, loop.strides};
  else
    axes[rank++] = loop;
}

int64_t LoopNest::size() const {
  int64_t product = 1;
  for (int axis = 0; axis < rank; ++axis) product *= axes[axis].extent;
  return product;
}

LoopNest loop_over(const Shape& shape, std::initializer_list<Shape> operands) {
  std::array<LoopNest::Axis, Shape::kMaxRank> loops{};
  Offsets next_strides;  // of the axis at hand, for operands that are not stretched there
  next_strides.fill(1);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    loops[axis].extent = shape[axis];
    size_t k = 0;
    for (const Shape& operand : operands) {
      const int64_t extent = aligned_extent(operand, shape.rank(), axis);
      loops[axis].strides[k] = extent == 1 ? 0 : next_strides[k];
      next_strides[k] *= extent;
      ++k;
    }
  }
  LoopNest nest;
  for (int axis = 0; axis < shape.rank(); ++axis) nest.append(loops[axis]);
  nest.rank = std::max(nest.rank, 1);
  return nest;
}

LoopNest copy_loops(const std::vector<CopyAxis>& axes) {
  LoopNest nest;
  for (const CopyAxis& axis : axes) nest.append({axis.extent, {axis.from_stride, axis.to_stride}});
  nest.rank = std::max(nest.rank, 1);
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

SplitNest split_at_target(const LoopNest& nest, int target) {
  SplitNest split{{}, {}, nest.inner().strides[target] == 0};
  for (int axis = 0; axis < nest.rank; ++axis) {
    const LoopNest::Axis& loop = nest.axes[axis];
    LoopNest& part = loop.strides[target] == 0 ? split.reduced : split.kept;
    part.axes[part.rank++] = loop;
  }
  return split;
}

}  // namespace pade
