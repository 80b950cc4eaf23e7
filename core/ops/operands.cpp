#include <algorithm>
#include <array>
#include <span>
#include <type_traits>

#include <pade/core/error.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/numbers.h>
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

/// Sums and products of two such extents are far from overflow.
constexpr int64_t kLargest = int64_t{1} << 30;

void check_range(const char* op, const char* what, Size2 value, int64_t smallest) {
  check(std::min(value.h, value.w) >= smallest && std::max(value.h, value.w) <= kLargest, op,
        ": expected a ", what, " from ", smallest, " to ", kLargest, ", got ", value);
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
  check(a.device() == b.device(), op, ": expected one device, got ", first.name, " on ", a.device(),
        " and ", second.name, " on ", b.device());
  check(a.dtype() == b.dtype(), op, ": expected one dtype, got ", first.name, ' ', a.dtype(), ' ',
        a.shape(), " and ", second.name, ' ', b.dtype(), ' ', b.shape());
}

void check_vector(const char* op, const Operand& x, const Operand& vector, int64_t extent) {
  check_same_kind(op, x, vector);
  check(vector.tensor.shape() == Shape{extent}, op, ": expected ", vector.name, " of shape [",
        extent, "], got ", vector.tensor.shape(), " (", x.name, ' ', x.tensor.shape(), ')');
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

Size2 count_windows(const char* op, Size2 image, const Window& window) {
  check_range(op, "kernel", window.kernel, 1);
  check_range(op, "stride", window.stride, 1);
  check_range(op, "padding", window.padding, 0);
  check_range(op, "dilation", window.dilation, 1);
  check_range(op, "image", image, 0);
  const Size2 span = window.span();
  const Size2 padded{image.h + 2 * window.padding.h, image.w + 2 * window.padding.w};
  check(span.h <= padded.h && span.w <= padded.w, op, ": a window of ", span,
        " pixels does not fit into an image of ", image, " with a padding of ", window.padding,
        " (kernel ", window.kernel, ", dilation ", window.dilation, ")");
  return {(padded.h - span.h) / window.stride.h + 1, (padded.w - span.w) / window.stride.w + 1};
}

Tensor as_tensor(const char* op, const TensorOrNumber& operand, const TensorOrNumber& other) {
  if (operand.tensor) return *operand.tensor;
  check(other.tensor, op, ": expected a tensor, got two numbers");
  const Tensor& x = *other.tensor;
  check_defined(op, {{"the tensor beside a number", x}});
  dispatch(x.dtype(), [&]<class T>(T) {
    if constexpr (std::is_integral_v<T>) whole_number<T>(operand.number, op);
  });
  return Tensor::full({}, operand.number, x.dtype(), x.device());
}

}  // namespace pade
