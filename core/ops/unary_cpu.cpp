#include <pade/core/ops/unary_kernels.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

template <class F, class T>
void forward(F f, const T* x, T* y, int64_t n) {
  parallel_for(n, kElementBlock, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = f.value(x[i]);
  });
}

template <class F, class T>
void backward(F f, const T* saved, const T* dy, T* dx, int64_t n) {
  parallel_for(n, kElementBlock, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) dx[i] = dy[i] * f.slope(saved[i]);
  });
}

}  // namespace

void unary_forward(const unary::Function& function, const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "unary", [&](auto zero) {
    using T = decltype(zero);
    std::visit([&](auto f) { forward(f, x.data<T>(), y.mutable_data<T>(), x.size()); }, function);
  });
}

void unary_backward(const unary::Function& function, const Tensor& saved, const Tensor& dy,
                    Tensor& dx) {
  dispatch_floating(dy.dtype(), "unary", [&](auto zero) {
    using T = decltype(zero);
    std::visit(
        [&](auto f) {
          backward(f, saved.data<T>(), dy.data<T>(), dx.mutable_data<T>(), dy.size());
        },
        function);
  });
}

}  // namespace pade::cpu
