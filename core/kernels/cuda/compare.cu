#include <type_traits>
#include <variant>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

namespace pade::cuda {
namespace {

template <class F>
struct Compared {
  F f;
  template <class T, class U>
  PADE_HD uint8_t operator()(T a, U b) const {
    return f(a, b);
  }
};

struct Selected {
  template <class T>
  PADE_HD T operator()(uint8_t condition, T a, T b) const {
    return condition ? a : b;
  }
};

struct SelectedGradient {
  bool chosen;
  template <class T>
  PADE_HD T operator()(uint8_t condition, T dy) const {
    return (condition != 0) == chosen ? dy : T(0);
  }
};

// ---------------------------------------------------------------------------------- launchers

void compare(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  uint8_t* out = y.mutable_address<uint8_t>();
  dispatch(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
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
  dispatch(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    broadcast("where", Selected{}, nest, y.mutable_address<T>(), condition.address<uint8_t>(),
              a.address<T>(), b.address<T>());
  });
}

void where_backward(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient) {
  const LoopNest nest = loop_over(dy.shape(), {condition.shape(), dy.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "where", [&](auto zero) {
    using T = decltype(zero);
    sum_to_target("backward of where", SelectedGradient{chosen}, nest, 2,
                  gradient.mutable_address<T>(), condition.address<uint8_t>(), dy.address<T>());
  });
}

}  // namespace

void add_compare(Kernels& kernels) {
  kernels.compare = compare;
  kernels.where_forward = where_forward;
  kernels.where_backward = where_backward;
}

}  // namespace pade::cuda
