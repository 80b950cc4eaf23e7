#include <pade/core/error.h>
#include <pade/core/ops/operands.h>

namespace pade {

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

}  // namespace pade
