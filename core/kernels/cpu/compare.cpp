#include <variant>

#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/kernels.h>

namespace pade::cpu {
namespace {

template <class F, class T, class U>
void compare_elements(F f, const LoopNest& nest, const T* a, const U* b, uint8_t* y) {
  const Offsets& strides = nest.inner().strides;
  parallel_runs(nest, [&](const Offsets& at, int64_t first, int64_t count) {
    uint8_t* out = y + first;
    with_run(a + at[0], strides[0], [&](auto of_a) {
      with_run(b + at[1], strides[1], [&](auto of_b) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) out[i] = f(of_a(i), of_b(i));
      });
    });
  });
}

template <class T>
void select(const LoopNest& nest, const uint8_t* condition, const T* a, const T* b, T* y) {
  const Offsets& strides = nest.inner().strides;
  parallel_runs(nest, [&](const Offsets& at, int64_t first, int64_t count) {
    T* out = y + first;
    with_run(condition + at[0], strides[0], [&](auto of_condition) {
      with_run(a + at[1], strides[1], [&](auto of_a) {
        with_run(b + at[2], strides[2], [&](auto of_b) {
#pragma omp simd
          for (int64_t i = 0; i < count; ++i) out[i] = of_condition(i) ? of_a(i) : of_b(i);
        });
      });
    });
  });
}

template <class T>
void select_backward(const LoopNest& nest, const uint8_t* condition, bool chosen, const T* dy,
                     T* gradient) {
  const int64_t stride = nest.inner().strides[0];
  auto source = [&](const Offsets& at, int64_t count, T* out) -> const T* {
    const T* dys = dy + at[1];
    with_run(condition + at[0], stride, [&](auto of_condition) {
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) out[i] = (of_condition(i) != 0) == chosen ? dys[i] : T(0);
    });
    return out;
  };
  sum_to_target(nest, 2, source, gradient);
}

void compare(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  uint8_t* out = y.mutable_data<uint8_t>();
  dispatch(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::visit(
        [&](auto f) {
          if (b.dtype() == a.dtype())
            compare_elements(f, nest, a.data<T>(), b.data<T>(), out);
          else
            compare_elements(f, nest, a.data<T>(), b.data<double>(), out);
        },
        comparison);
  });
}

void where_forward(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {condition.shape(), a.shape(), b.shape()});
  dispatch(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    select(nest, condition.data<uint8_t>(), a.data<T>(), b.data<T>(), y.mutable_data<T>());
  });
}

void where_backward(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient) {
  const LoopNest nest = loop_over(dy.shape(), {condition.shape(), dy.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "where", [&](auto zero) {
    using T = decltype(zero);
    select_backward(nest, condition.data<uint8_t>(), chosen, dy.data<T>(),
                    gradient.mutable_data<T>());
  });
}

}  // namespace

void add_compare(Kernels& kernels) {
  kernels.compare = compare;
  kernels.where_forward = where_forward;
  kernels.where_backward = where_backward;
}

}  // namespace pade::cpu
