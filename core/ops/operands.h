#pragma once

#include <initializer_list>

#include <pade/core/kernels/problems.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/tensor.h>

/// What ops ask of their operands, and make of them. Messages begin with the op's name, and name
/// the operand.
namespace pade {

/// An operand and what messages call it.
struct Operand {
  const char* name;
  const Tensor& tensor;
};

/// Throws Error where one is undefined: `conv2d: weight is undefined; assign a tensor to it first`.
void check_defined(const char* op, std::initializer_list<Operand> operands);

/// check_defined(), and throws Error unless it is float32 or float64.
void check_floating(const char* op, const Operand& operand);

/// Throws Error unless both are defined and have one device and one dtype:
/// `conv2d: expected one device, got input on cpu and weight on cuda`.
void check_same_kind(const char* op, const Operand& a, const Operand& b);
inline void check_same_kind(const char* op, const Tensor& a, const Tensor& b) {
  check_same_kind(op, {"a", a}, {"b", b});
}

/// check_same_kind(), and throws Error unless `vector` has the shape [extent]: `conv2d: expected
/// bias of shape [6], got [3] (input [8, 3, 32, 32])`.
void check_vector(const char* op, const Operand& x, const Operand& vector, int64_t extent);

/// `axis` as a number in [0, rank); negative axes count from the end. Throws Error otherwise.
int resolve_axis(const char* op, const Shape& shape, int axis);

/// The shape that NumPy's rule gives: aligned at the last axis, and on each axis all extents equal
/// or 1. Throws an Error that names all shapes where they differ.
Shape broadcast_shape(const char* op, std::initializer_list<Shape> shapes);

/// How many windows there are along each axis, ⌊(image + 2·padding − span) / stride⌋ + 1. Throws
/// Error when the window is larger than the padded image, and on values that make no sense.
Size2 count_windows(const char* op, Size2 image, const Window& window);

/// A tensor of that shape, and of x's dtype and device, that is not initialised.
inline Tensor empty_beside(const Tensor& x, const Shape& shape) {
  return Tensor::empty(shape, x.dtype(), x.device());
}

/// `operand`; a number as a tensor of rank 0 and the other's dtype. Throws Error where an integer
/// dtype cannot hold it, and for two numbers.
Tensor as_tensor(const char* op, const TensorOrNumber& operand, const TensorOrNumber& other);

}  // namespace pade
