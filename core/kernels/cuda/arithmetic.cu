#include <type_traits>
#include <variant>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

namespace pade::cuda {
namespace {

template <class F>
struct Value {
  template <class T>
  PADE_HD T operator()(T a, T b) const {
    return F{}.value(a, b);
  }
};

/// Of one operand, where it is the result's.
struct Passed {
  template <class T>
  PADE_HD T operator()(T dy, T, T) const {
    return dy;
  }
};

/// Of operand number `operand`.
template <class F, int operand>
struct Gradient {
  template <class T>
  PADE_HD T operator()(T dy, T a, T b) const {
    return operand == 0 ? F{}.gradient_a(dy, a, b) : F{}.gradient_b(dy, a, b);
  }
};

// ---------------------------------------------------------------------------------- launchers

void arithmetic_forward(const arithmetic::Function& function, const Tensor& a, const Tensor& b,
                        Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  auto run = [&](auto zero) {
    using T = decltype(zero);
    std::visit(
        [&](auto f) {
          using F = decltype(f);
          if constexpr (std::is_floating_point_v<T> || !std::is_same_v<F, arithmetic::Div>)
            broadcast("arithmetic", Value<F>{}, nest, y.mutable_address<T>(), a.address<T>(),
                      b.address<T>());
        },
        function);
  };
  if (y.dtype() == DType::int32)
    run(int32_t{});
  else
    dispatch_floating(y.dtype(), "arithmetic", run);
}

static void backward_to(int operand, const arithmetic::Function& function, const Tensor& dy,
                        const Tensor& a, const Tensor& b, Tensor& gradient) {
  const Tensor& used_a = a.defined() ? a : dy;  // dy stands in for what is not looked at
  const Tensor& used_b = b.defined() ? b : dy;
  const LoopNest nest =
      loop_over(dy.shape(), {dy.shape(), used_a.shape(), used_b.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "arithmetic", [&](auto zero) {
    using T = decltype(zero);
    auto run = [&](auto element_gradient) {
      sum_to_target("backward of arithmetic", element_gradient, nest, 3,
                    gradient.mutable_address<T>(), dy.address<T>(), used_a.address<T>(),
                    used_b.address<T>());
    };
    std::visit(
        [&](auto f) {
          using F = decltype(f);
          using OfA = std::conditional_t<F::kForA.is_dy, Passed, Gradient<F, 0>>;
          using OfB = std::conditional_t<F::kForB.is_dy, Passed, Gradient<F, 1>>;
          if (operand == 0)
            run(OfA{});
          else
            run(OfB{});
        },
        function);
  });
}

void arithmetic_backward(const arithmetic::Function& function, const Tensor& dy, const Tensor& a,
                         const Tensor& b, Tensor& da, Tensor& db) {
  if (da.defined()) backward_to(0, function, dy, a, b, da);
  if (db.defined()) backward_to(1, function, dy, a, b, db);
}

}  // namespace

void add_arithmetic(Kernels& kernels) {
  kernels.arithmetic_forward = arithmetic_forward;
  kernels.arithmetic_backward = arithmetic_backward;
}

}  // namespace pade::cuda
