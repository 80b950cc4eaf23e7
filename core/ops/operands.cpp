#include <algorithm>
#include <array>
#include <span>

#include <pade/core/error.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/ops/operands.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

[[noreturn]] void refuse(const char* op, std::initializer_list<Shape> shapes) {
  TextStream list;
  size_t left = shapes.size();
  for (const Shape& shape : shapes) {
    --left;
    list << shape << (left == 0 ? "" : left == 1 ? " and " : ", ");
  }
  fail(op, ": shapes ", list.str(), " do not broadcast");
}

}  // namespace

void check_defined(const char* op, std::initializer_list<Operand> operands) {
  for (const Operand& operand : operands)
    check(operand.tensor.defined(), op, ": ", operand.name,
          " is undefined; assign a tensor to it first");
}

void check_floating(const char* op, const Operand& operand) {
  check_defined(op, {operand});
  check(is_floating(operand.tensor.dtype()), op, ": expected float32 or float64, got ",
        operand.tensor.dtype());
}

int resolve_axis(const char* op, const Shape& shape, int axis) {
  check(axis >= -shape.rank() && axis < shape.rank(), op, ": axis ", axis,
        " is out of range for shape ", shape);
  return shape.resolve_axis(axis);
}

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

}  // namespace pade
