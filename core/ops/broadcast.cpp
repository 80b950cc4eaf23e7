
#include <pade/core/error.h>
#include <pade/core/ops/broadcast.h>
#include <pade/core/ops/operands.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

/// The extent of `operand` that stands over axis `axis` of a shape of rank `rank`.
int64_t aligned_extent(const Shape& operand, int rank, int axis) {
  const int own = axis - (rank - operand.rank());
  return own < 0 ? 1 : operand[own];
}

[[noreturn]] void refuse(const char* op, std::initializer_list<Shape> shapes) {
  TextStream list;
  size_t left = shapes.size();
  for (const Shape& shape : shapes) {
    --left;
    list << shape << (left == 0 ? "" : left == 1 ? " and " : ", ");
  }
  fail(op, ": shapes ", list.str(), " do not broadcast");
}

/// Whether the loops can be one: a step of the outer is a whole pass of the inner, for everyone.
bool can_merge(const LoopNest::Axis& outer, const LoopNest::Axis& inner) {
  for (size_t k = 0; k < outer.strides.size(); ++k)
    if (outer.strides[k] != inner.strides[k] * inner.extent) return false;
  return true;
}

}  // namespace

void check_same_kind(const char* op, const Operand& first, const Operand& second) {
  check_defined(op, {first, second});
  const Tensor &a = first.tensor, &b = second.tensor;
  check(a.device() == b.device(), op, ": expected one device, got ", a.device(), " and ",
        b.device());
  check(a.dtype() == b.dtype(), op, ": expected one dtype, got ", a.dtype(), ' ', a.shape(),
        " and ", b.dtype(), ' ', b.shape());
}

Shape broadcast_shape(const char* op, std::initializer_list<Shape> shapes) {
  int rank = 0;
  for (const Shape& shape : shapes) rank = std::max(rank, shape.rank());
  std::array<int64_t, Shape::kMaxRank> extents{};
  for (int axis = 0; axis < rank; ++axis) {
    int64_t& extent = extents[axis] = 1;
    for (const Shape& shape : shapes) {
      const int64_t own = aligned_extent(shape, rank, axis);
      if (own == 1) continue;
      if (extent != 1 && extent != own) refuse(op, shapes);
      extent = own;
    }
  }
  return Shape(std::span<const int64_t>(extents.data(), rank));
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
