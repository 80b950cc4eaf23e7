#include <variant>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/elementwise.cuh>

namespace pade::cuda {
namespace {

template <class F>
struct Forward {
  F f;
  template <class T>
  PADE_HD T operator()(T x) const {
    return f.value(x);
  }
};

template <class F>
struct Backward {
  F f;
  template <class T>
  PADE_HD T operator()(T saved, T dy) const {
    return dy * f.slope(saved);
  }
};

// ---------------------------------------------------------------------------------- launchers

void unary_forward(const unary::Function& function, const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "unary", [&](auto zero) {
    using T = decltype(zero);
    std::visit(
        [&](auto f) {
          elementwise("unary", Forward<decltype(f)>{f}, x.size(), y.mutable_address<T>(),
                      x.address<T>());
        },
        function);
  });
}

void unary_backward(const unary::Function& function, const Tensor& saved, const Tensor& dy,
                    Tensor& dx) {
  dispatch_floating(dy.dtype(), "unary", [&](auto zero) {
    using T = decltype(zero);
    std::visit(
        [&](auto f) {
          elementwise("backward of unary", Backward<decltype(f)>{f}, dy.size(),
                      dx.mutable_address<T>(), saved.address<T>(), dy.address<T>());
        },
        function);
  });
}

}  // namespace

void add_unary(Kernels& kernels) {
  kernels.unary_forward = unary_forward;
  kernels.unary_backward = unary_backward;
}

}  // namespace pade::cuda
