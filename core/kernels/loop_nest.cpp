#include <algorithm>

#include <pade/core/kernels/loop_nest.h>

namespace pade {
namespace {

/// Whether the loops can be one: a step of the outer is a whole pass of the inner, for everyone.
bool can_merge(const LoopNest::Axis& outer, const LoopNest::Axis& inner) {
  for (size_t k = 0; k < outer.strides.size(); ++k)
    if (outer.strides[k] != inner.strides[k] * inner.extent) return false;
  return true;
}

}  // namespace

int64_t aligned_extent(const Shape& operand, int rank, int axis) {
  const int own = axis - (rank - operand.rank());
  return own < 0 ? 1 : operand[own];
}

int64_t LoopNest::size() const {
  int64_t product = 1;
  for (int axis = 0; axis < rank; ++axis) product *= axes[axis].extent;
  return product;
}

LoopNest loop_over(const Shape& shape, std::initializer_list<Shape> operands) {
  LoopNest inside_out;
  Offsets next_strides;  // of the axis at hand, for operands that are not stretched there
  next_strides.fill(1);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    LoopNest::Axis loop{shape[axis], {}};
    size_t k = 0;
    for (const Shape& operand : operands) {
      const int64_t extent = aligned_extent(operand, shape.rank(), axis);
      loop.strides[k] = extent == 1 ? 0 : next_strides[k];
      next_strides[k] *= extent;
      ++k;
    }
    if (loop.extent == 1) continue;
    if (inside_out.rank > 0 && can_merge(loop, inside_out.inner()))
      inside_out.axes[inside_out.rank - 1].extent *= loop.extent;
    else
      inside_out.axes[inside_out.rank++] = loop;
  }
  if (inside_out.rank == 0) inside_out.rank = 1;
  std::reverse(inside_out.axes.begin(), inside_out.axes.begin() + inside_out.rank);
  return inside_out;
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
