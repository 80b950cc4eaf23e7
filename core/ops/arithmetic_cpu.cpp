#include <pade/core/ops/arithmetic_kernels.h>
#include <pade/core/ops/reduce_loops.h>

namespace pade::cpu {
namespace {

template <class F, class T>
void forward(F f, const LoopNest& nest, const T* a, const T* b, T* y) {
  const Offsets& strides = nest.inner().strides;
  parallel_runs(nest, [&](const Offsets& at, int64_t first, int64_t count) {
    T* out = y + first;
    with_run(a + at[0], strides[0], [&](auto of_a) {
      with_run(b + at[1], strides[1], [&](auto of_b) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) out[i] = f.value(of_a(i), of_b(i));
      });
    });
  });
}

/// f(dy, a, b) is the gradient of an element of one operand, which is operand 3 of the nest.
template <class F, class T>
void backward(F f, const LoopNest& nest, const T* dy, const T* a, const T* b, T* gradient) {
  const Offsets& strides = nest.inner().strides;
  auto source = [&](const Offsets& at, int64_t count, T* out) -> const T* {
    const T* upstream = dy + at[0];
    with_run(a + at[1], strides[1], [&](auto of_a) {
      with_run(b + at[2], strides[2], [&](auto of_b) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) out[i] = f(upstream[i], of_a(i), of_b(i));
      });
    });
    return out;
  };
  sum_to_target(nest, 3, source, gradient);
}

}  // namespace

void arithmetic_forward(const arithmetic::Function& function, const Tensor& a, const Tensor& b,
                        Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  auto run = [&](auto zero) {
    using T = decltype(zero);
    std::visit([&](auto f) { forward(f, nest, a.data<T>(), b.data<T>(), y.mutable_data<T>()); },
               function);
  };
  if (y.dtype() == DType::int32)
    run(int32_t{});
  else
    dispatch_floating(y.dtype(), "arithmetic", run);
}

void arithmetic_backward(const arithmetic::Function& function, int operand, const Tensor& dy,
                         const Tensor& a, const Tensor& b, Tensor& gradient) {
  const Tensor& used_a = a.defined() ? a : dy;  // dy stands in for what is not looked at
  const Tensor& used_b = b.defined() ? b : dy;
  const LoopNest nest =
      loop_over(dy.shape(), {dy.shape(), used_a.shape(), used_b.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "arithmetic", [&](auto zero) {
    using T = decltype(zero);
    auto run = [&](auto element_gradient) {
      backward(element_gradient, nest, dy.data<T>(), used_a.data<T>(), used_b.data<T>(),
               gradient.mutable_data<T>());
    };
    std::visit(
        [&](auto f) {
          if (operand == 0)
            run([f](T dy, T a, T b) { return f.gradient_a(dy, a, b); });
          else
            run([f](T dy, T a, T b) { return f.gradient_b(dy, a, b); });
        },
        function);
  });
}

}  // namespace pade::cpu
