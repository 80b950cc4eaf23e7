#include <array>
#include <functional>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/ops/compare.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

Tensor compare(const char* op, const Comparison& comparison, const Tensor& a, const Tensor& b) {
  check_same_kind(op, a, b);
  Tensor y = Tensor::empty(broadcast_shape(op, {a.shape(), b.shape()}), DType::uint8, a.device());
  kernels_of(y).compare(comparison, a, b, y);
  return y;
}

Tensor compare(const char* op, const Comparison& comparison, const Tensor& a, double b) {
  check_defined(op, {{"a", a}});
  Tensor y = Tensor::empty(a.shape(), DType::uint8, a.device());
  const DType dtype = is_floating(a.dtype()) ? a.dtype() : DType::float64;
  const Tensor number = Tensor::full({}, b, dtype, a.device());
  kernels_of(y).compare(comparison, a, number, y);
  return y;
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) { return compare("equal", std::equal_to{}, a, b); }
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return compare("not_equal", std::not_equal_to{}, a, b);
}
Tensor less(const Tensor& a, const Tensor& b) { return compare("less", std::less{}, a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return compare("less_equal", std::less_equal{}, a, b);
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return compare("greater", std::greater{}, a, b);
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return compare("greater_equal", std::greater_equal{}, a, b);
}

Tensor equal(const Tensor& a, double b) { return compare("equal", std::equal_to{}, a, b); }
Tensor not_equal(const Tensor& a, double b) {
  return compare("not_equal", std::not_equal_to{}, a, b);
}
Tensor less(const Tensor& a, double b) { return compare("less", std::less{}, a, b); }
Tensor less_equal(const Tensor& a, double b) {
  return compare("less_equal", std::less_equal{}, a, b);
}
Tensor greater(const Tensor& a, double b) { return compare("greater", std::greater{}, a, b); }
Tensor greater_equal(const Tensor& a, double b) {
  return compare("greater_equal", std::greater_equal{}, a, b);
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  check_same_kind("where", a, b);
  check_defined("where", {{"condition", condition}});
  check(condition.device() == a.device() && condition.dtype() == DType::uint8,
        "where: expected a condition of uint8 on ", a.device(), ", got ", condition.dtype(), " on ",
        condition.device());
  Tensor y = Tensor::empty(broadcast_shape("where", {condition.shape(), a.shape(), b.shape()}),
                           a.dtype(), a.device());
  kernels_of(y).where_forward(condition, a, b, y);
  record("where", {&a, &b}, y, {&condition},
         [shapes = std::array{a.shape(), b.shape()}](Gradients& gradients) {
           const Tensor& dy = gradients.of_output();
           for (const int operand : {0, 1}) {
             if (!gradients.needs(operand)) continue;
             Tensor gradient = Tensor::empty(shapes[operand], dy.dtype(), dy.device());
             kernels_of(dy).where_backward(gradients.saved(0), operand == 0, dy, gradient);
             gradients.set(operand, gradient);
           }
         });
  return y;
}

Tensor where(const Tensor& condition, const Tensor& a, double b) {
  check_defined("where", {{"a", a}});
  return where(condition, a, Tensor::full({}, b, a.dtype(), a.device()));
}
Tensor where(const Tensor& condition, double a, const Tensor& b) {
  check_defined("where", {{"b", b}});
  return where(condition, Tensor::full({}, a, b.dtype(), b.device()), b);
}

}  // namespace pade
