#include <type_traits>
#include <variant>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

namespace pade::cuda {
namespace {

template <class F>
struct Value {
  PADE_HD auto operator()(auto a, auto b) const { return F{}.value(a, b); }
};

/// Of one operand, where it is the result's.
struct Passed {
  PADE_HD auto operator()(auto dy, auto, auto) const { return dy; }
};

/// Of operand number kOperand.
template <class F, int kOperand>
struct Gradient {
  PADE_HD auto operator()(auto dy, auto a, auto b) const {
    return kOperand == 0 ? F{}.gradient_a(dy, a, b) : F{}.gradient_b(dy, a, b);
  }
};

template <class F>
struct Compared {
  F f;
  PADE_HD uint8_t operator()(auto a, auto b) const { return f(a, b); }
};

struct Selected {
  PADE_HD auto operator()(uint8_t condition, auto a, auto b) const { return condition ? a : b; }
};

struct SelectedGradient {
  bool chosen;
  PADE_HD auto operator()(uint8_t condition, auto dy) const {
    return (condition != 0) == chosen ? dy : decltype(dy)(0);
  }
};

// ---------------------------------------------------------------------------------- launchers

void arithmetic_forward(const arithmetic::Function& function, const Tensor& a, const Tensor& b,
                        Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  auto run = [&]<class T>(T) {
    std::visit(
        [&]<class F>(F) {
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

template <int kOperand>
void backward_to(const arithmetic::Function& function, const Tensor& dy, const Tensor& a,
                 const Tensor& b, Tensor& gradient) {
  const Tensor& used_a = a.defined() ? a : dy;  // dy stands in for what is not looked at
  const Tensor& used_b = b.defined() ? b : dy;
  const LoopNest nest =
      loop_over(dy.shape(), {dy.shape(), used_a.shape(), used_b.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "arithmetic", [&]<class T>(T) {
    std::visit(
        [&]<class F>(F) {
          constexpr bool kIsDy = kOperand == 0 ? F::kForA.is_dy : F::kForB.is_dy;
          using Of = std::conditional_t<kIsDy, Passed, Gradient<F, kOperand>>;
          sum_to_target("backward of arithmetic", Of{}, nest, 3, gradient.mutable_address<T>(),
                        dy.address<T>(), used_a.address<T>(), used_b.address<T>());
        },
        function);
  });
}

void arithmetic_backward(const arithmetic::Function& function, const Tensor& dy, const Tensor& a,
                         const Tensor& b, Tensor& da, Tensor& db) {
  if (da.defined()) backward_to<0>(function, dy, a, b, da);
  if (db.defined()) backward_to<1>(function, dy, a, b, db);
}

void compare(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  uint8_t* out = y.mutable_address<uint8_t>();
  dispatch(a.dtype(), [&]<class T>(T) {
    std::visit(
        [&](auto f) {
          const Compared<decltype(f)> compared{f};
          if (b.dtype() == a.dtype())
            broadcast("comparison", compared, nest, out, a.address<T>(), b.address<T>());
          else if constexpr (std::is_integral_v<T>)
            broadcast("comparison", compared, nest, out, a.address<T>(), b.address<double>());
        },
        comparison);
  });
}

void where_forward(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {condition.shape(), a.shape(), b.shape()});
  dispatch(y.dtype(), [&]<class T>(T) {
    broadcast("where", Selected{}, nest, y.mutable_address<T>(), condition.address<uint8_t>(),
              a.address<T>(), b.address<T>());
  });
}

void where_backward(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient) {
  const LoopNest nest = loop_over(dy.shape(), {condition.shape(), dy.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "where", [&]<class T>(T) {
    sum_to_target("backward of where", SelectedGradient{chosen}, nest, 2,
                  gradient.mutable_address<T>(), condition.address<uint8_t>(), dy.address<T>());
  });
}

}  // namespace

void add_broadcast(Kernels& kernels) {
  kernels.arithmetic_forward = arithmetic_forward;
  kernels.arithmetic_backward = arithmetic_backward;
  kernels.compare = compare;
  kernels.where_forward = where_forward;
  kernels.where_backward = where_backward;
}

}  // namespace pade::cuda
