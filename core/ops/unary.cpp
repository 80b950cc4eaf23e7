#include <variant>

#include <pade/core/kernels/cpu/fusion.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/pending_batch_norm.h>
#include <pade/core/ops/unary.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

Tensor apply(const char* op, const unary::Function& function, const Tensor& x) {
  check_floating(op, {"x", x});
  if (const auto pending = pending_batch_norm(x))
    return apply_to_pending(*pending, x, cpu::unary_elementwise(op, function), {});
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).unary_forward(function, x, y);
  const bool saves_output = std::visit([](auto f) { return f.kSavesOutput; }, function);
  record(op, {&x}, y, {saves_output ? &y : &x}, [function](Gradients& gradients) {
    const Tensor& dy = gradients.of_output();
    Tensor dx = Tensor::empty_like(dy);
    kernels_of(dy).unary_backward(function, gradients.saved(0), dy, dx);
    gradients.set(0, dx);
  });
  return y;
}

}  // namespace

Tensor exp(const Tensor& x) { return apply("exp", unary::Exp{}, x); }
Tensor log(const Tensor& x) { return apply("log", unary::Log{}, x); }
Tensor sqrt(const Tensor& x) { return apply("sqrt", unary::Sqrt{}, x); }
Tensor abs(const Tensor& x) { return apply("abs", unary::Abs{}, x); }
Tensor power(const Tensor& x, double exponent) { return apply("power", unary::Power{exponent}, x); }
Tensor sin(const Tensor& x) { return apply("sin", unary::Sin{}, x); }
Tensor cos(const Tensor& x) { return apply("cos", unary::Cos{}, x); }
Tensor tanh(const Tensor& x) { return apply("tanh", unary::Tanh{}, x); }
Tensor sigmoid(const Tensor& x) { return apply("sigmoid", unary::Sigmoid{}, x); }
Tensor relu(const Tensor& x) { return apply("relu", unary::Relu{}, x); }

Tensor leaky_relu(const Tensor& x, double slope) {
  return apply("leaky_relu", unary::LeakyRelu{slope}, x);
}

Tensor clamp(const Tensor& x, double low, double high) {
  check(low <= high, "clamp: low ", low, " is above high ", high);
  return apply("clamp", unary::Clamp{low, high}, x);
}

}  // namespace pade
