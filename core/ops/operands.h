#pragma once

#include <initializer_list>

#include <pade/core/tensor.h>

/// What ops ask of their operands before they look at shapes. Messages begin with the op's name,
/// and name the operand.
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

/// `axis` as a number in [0, rank); negative axes count from the end. Throws Error otherwise.
int resolve_axis(const char* op, const Shape& shape, int axis);

/// Throws Error unless both are defined and have one device and one dtype.
void check_same_kind(const char* op, const Operand& a, const Operand& b);
inline void check_same_kind(const char* op, const Tensor& a, const Tensor& b) {
  check_same_kind(op, {"a", a}, {"b", b});
}

/// The shape that NumPy's rule gives: aligned at the last axis, and on each axis all extents equal
/// or 1. Throws an Error that names all shapes where they differ.
Shape broadcast_shape(const char* op, std::initializer_list<Shape> shapes);

}  // namespace pade
