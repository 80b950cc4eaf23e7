#include <array>
#include <functional>

#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/compare.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

Tensor compare(const char* op, const Comparison& comparison, const Tensor& a,
               const TensorOrNumber& b) {
  check_defined(op, {{"a", a}});
  if (b.tensor) check_same_kind(op, a, *b.tensor);
  const DType of_number = is_floating(a.dtype()) ? a.dtype() : DType::float64;
  const Tensor right = b.tensor ? *b.tensor : Tensor::full({}, b.number, of_number, a.device());
  Tensor y =
      Tensor::empty(broadcast_shape(op, {a.shape(), right.shape()}), DType::uint8, a.device());
  kernels_of(y).compare(comparison, a, right, y);
  return y;
}

}  // namespace

Tensor equal(const Tensor& a, const TensorOrNumber& b) {
  return compare("equal", std::equal_to(), a, b);
}
Tensor not_equal(const Tensor& a, const TensorOrNumber& b) {
  return compare("not_equal", std::not_equal_to(), a, b);
}
Tensor less(const Tensor& a, const TensorOrNumber& b) { return compare("less", std::less(), a, b); }
Tensor less_equal(const Tensor& a, const TensorOrNumber& b) {
  return compare("less_equal", std::less_equal(), a, b);
}
Tensor greater(const Tensor& a, const TensorOrNumber& b) {
  return compare("greater", std::greater(), a, b);
}
Tensor greater_equal(const Tensor& a, const TensorOrNumber& b) {
  return compare("greater_equal", std::greater_equal(), a, b);
}

Tensor where(const Tensor& condition, const TensorOrNumber& if_true,
             const TensorOrNumber& if_false) {
  const Tensor a = as_tensor("where", if_true, if_false), b = as_tensor("where", if_false, if_true);
  check_same_kind("where", a, b);
  check_defined("where", {{"condition", condition}});
  check(condition.device() == a.device() && condition.dtype() == DType::uint8,
        "where: expected a condition of uint8 on ", a.device(), ", got ", condition.dtype(), " on ",
        condition.device());
  Tensor y = empty_beside(a, broadcast_shape("where", {condition.shape(), a.shape(), b.shape()}));
  kernels_of(y).where_forward(condition, a, b, y);
  record("where", {&a, &b}, y, {&condition},
         [shapes = std::array{a.shape(), b.shape()}](Gradients& gradients) {
           const Tensor& dy = gradients.of_output();
           for (const int operand : {0, 1})
             gradients.set_computed(operand, shapes[operand], [&](Tensor& gradient) {
               kernels_of(dy).where_backward(gradients.saved(0), operand == 0, dy, gradient);
             });
         });
  return y;
}

}  // namespace pade
