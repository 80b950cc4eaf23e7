#include <array>
#include <type_traits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

using arithmetic::Uses;

template <class F>
Tensor apply(const char* op, F function, const Tensor& a, const Tensor& b) {
  constexpr bool kTakesIntegers = !std::is_same_v<F, arithmetic::Div>;
  constexpr DType kByte = DType::uint8;
  check_defined(op, {{"a", a}, {"b", b}});
  if (kTakesIntegers && a.dtype() == kByte && b.dtype() == kByte)
    return apply(op, function, a.to(DType::int32), b.to(DType::int32)).to(kByte);
  if (a.dtype() != b.dtype() && (a.dtype() == kByte || b.dtype() == kByte)) {
    const DType wider = a.dtype() == kByte ? b.dtype() : a.dtype();
    return apply(op, function, a.to(wider), b.to(wider));
  }
  check_same_kind(op, a, b);
  check(is_floating(a.dtype()) || (kTakesIntegers && a.dtype() == DType::int32), op,
        kTakesIntegers ? ": expected float32, float64 or int32, got "
                       : ": expected float32 or float64, got ",
        a.dtype());
  Tensor y = empty_beside(a, broadcast_shape(op, {a.shape(), b.shape()}));
  kernels_of(y).arithmetic_forward(function, a, b, y);

  static constexpr Uses for_a = F::kForA, for_b = F::kForB;
  const bool needs_a = a.requires_grad(), needs_b = b.requires_grad();
  const Tensor saved_a = (needs_a && for_a.a) || (needs_b && for_b.a) ? a : Tensor();
  const Tensor saved_b = (needs_a && for_a.b) || (needs_b && for_b.b) ? b : Tensor();
  record(
      op, {&a, &b}, y, {&saved_a, &saved_b},
      [function, shapes = std::array{a.shape(), b.shape()}](Gradients& gradients) {
        const Tensor& dy = gradients.of_output();
        const Uses uses[] = {for_a, for_b};
        Tensor computed[2];
        for (const int operand : {0, 1})
          if (gradients.needs(operand) && !(uses[operand].is_dy && shapes[operand] == dy.shape()))
            computed[operand] = empty_beside(dy, shapes[operand]);
        kernels_of(dy).arithmetic_backward(function, dy, gradients.saved(0), gradients.saved(1),
                                           computed[0], computed[1]);
        for (const int operand : {0, 1})
          gradients.set(operand, computed[operand].defined() ? computed[operand] : dy);
      });
  return y;
}

template <class F>
Tensor apply(const char* op, F function, const TensorOrNumber& a, const TensorOrNumber& b) {
  return apply(op, function, as_tensor(op, a, b), as_tensor(op, b, a));
}

/// x, to be assigned to.
Tensor& not_a_leaf(const char* op, Tensor& x) {
  const NoGrad no_grad;  // so that only leaves require a gradient, and no results on a tape
  check(!x.requires_grad(), op, ": the left side is a leaf of shape ", x.shape(),
        " that requires a gradient, and would become a result that does not; change it in place "
        "under NoGrad, as in w.add_(gradient, -lr), or assign the result to another tensor");
  return x;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return apply("add", arithmetic::Add{}, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return apply("sub", arithmetic::Sub{}, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return apply("mul", arithmetic::Mul{}, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return apply("div", arithmetic::Div{}, a, b); }

Tensor minimum(const Tensor& a, const Tensor& b) {
  return apply("minimum", arithmetic::Minimum{}, a, b);
}
Tensor maximum(const Tensor& a, const Tensor& b) {
  return apply("maximum", arithmetic::Maximum{}, a, b);
}

Tensor operator+(const TensorOrNumber& a, const TensorOrNumber& b) {
  return apply("add", arithmetic::Add{}, a, b);
}
Tensor operator-(const TensorOrNumber& a, const TensorOrNumber& b) {
  return apply("sub", arithmetic::Sub{}, a, b);
}
Tensor operator*(const TensorOrNumber& a, const TensorOrNumber& b) {
  return apply("mul", arithmetic::Mul{}, a, b);
}
Tensor operator/(const TensorOrNumber& a, const TensorOrNumber& b) {
  return apply("div", arithmetic::Div{}, a, b);
}
Tensor operator-(const Tensor& x) { return x * -1; }

Tensor& operator+=(Tensor& x, const TensorOrNumber& y) { return not_a_leaf("+=", x) = x + y; }
Tensor& operator-=(Tensor& x, const TensorOrNumber& y) { return not_a_leaf("-=", x) = x - y; }
Tensor& operator*=(Tensor& x, const TensorOrNumber& y) { return not_a_leaf("*=", x) = x * y; }
Tensor& operator/=(Tensor& x, const TensorOrNumber& y) { return not_a_leaf("/=", x) = x / y; }

}  // namespace pade
