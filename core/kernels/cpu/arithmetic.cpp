#include <algorithm>
#include <optional>
#include <variant>

#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/kernels.h>

namespace pade::cpu {
namespace {

template <class F>
void for_plane(int64_t n, F&& f) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) f(i);
}

/// One operand has a number for each of `count` planes of `length` elements of the other.
struct Planes {
  int64_t count, length;
  int plain;  // which operand has an element for each of the result's

  /// Calls f(first, last) for planes, several at a time where they are small.
  template <class F>
  void for_each_block(F&& f) const {
    parallel_for(count, std::max<int64_t>(1, kElementBlock / length), f);
  }
};

/// Nothing where the nest's operands 0 and 1 are anything else, or planes are too large to be left
/// to a thread each.
std::optional<Planes> find_planes(const LoopNest& nest) {
  const LoopNest::Axis &outer = nest.axes[0], &inner = nest.inner();
  if (nest.rank != 2 || inner.extent == 0 || inner.extent > kElementBlock) return {};
  for (const int plain : {0, 1}) {
    const int other = 1 - plain;
    if (inner.strides[plain] == 1 && outer.strides[plain] == inner.extent &&
        inner.strides[other] == 0 && outer.strides[other] == 1)
      return Planes{outer.extent, inner.extent, plain};
  }
  return {};
}

template <class F, class T>
void forward(F f, const LoopNest& nest, const T* a, const T* b, T* y) {
  if (const auto planes = find_planes(nest))
    return planes->for_each_block([&, n = planes->length](int64_t first, int64_t last) {
      for (int64_t plane = first; plane < last; ++plane) {
        T* out = y + plane * n;
        if (planes->plain == 0)
          for_plane(n,
                    [=, a = a + plane * n, b = b[plane]](int64_t i) { out[i] = f.value(a[i], b); });
        else
          for_plane(n,
                    [=, a = a[plane], b = b + plane * n](int64_t i) { out[i] = f.value(a, b[i]); });
      }
    });
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
    const T* dys = dy + at[0];
    with_run(a + at[1], strides[1], [&](auto of_a) {
      with_run(b + at[2], strides[2], [&](auto of_b) {
#pragma omp simd
        for (int64_t i = 0; i < count; ++i) out[i] = f(dys[i], of_a(i), of_b(i));
      });
    });
    return out;
  };
  sum_to_target(nest, 3, source, gradient);
}

/// Both gradients in one pass over each plane; of_plain and of_single are functions of dy, the
/// plain operand's element and the other one's number.
template <class OfPlain, class OfSingle, class T>
void backward_planes(const Planes& planes, OfPlain of_plain, OfSingle of_single, const T* dy,
                     const T* plain, const T* single, T* d_plain, T* d_single) {
  planes.for_each_block([=, n = planes.length](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const T *dys = dy + plane * n, *x = plain + plane * n, s = single[plane];
      T* dx = d_plain + plane * n;
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < n; ++i) {
        dx[i] = of_plain(dys[i], x[i], s);
        sum += static_cast<double>(of_single(dys[i], x[i], s));
      }
      d_single[plane] = static_cast<T>(sum);
    }
  });
}

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

void arithmetic_backward(const arithmetic::Function& function, const Tensor& dy, const Tensor& a,
                         const Tensor& b, Tensor& da, Tensor& db) {
  const Tensor& used_a = a.defined() ? a : dy;  // dy stands in for what is not looked at
  const Tensor& used_b = b.defined() ? b : dy;
  dispatch_floating(dy.dtype(), "arithmetic", [&](auto zero) {
    using T = decltype(zero);
    const T *dys = dy.data<T>(), *in_a = used_a.data<T>(), *in_b = used_b.data<T>();
    auto run = [&](auto element_gradient, Tensor& gradient) {
      backward(
          element_gradient,
          loop_over(dy.shape(), {dy.shape(), used_a.shape(), used_b.shape(), gradient.shape()}),
          dys, in_a, in_b, gradient.mutable_data<T>());
    };
    std::visit(
        [&](auto f) {
          auto of_a = [f](T dy, T a, T b) { return f.gradient_a(dy, a, b); };
          auto of_b = [f](T dy, T a, T b) { return f.gradient_b(dy, a, b); };
          if (da.defined() && db.defined() && a.defined() && b.defined())
            if (const auto planes = find_planes(loop_over(dy.shape(), {a.shape(), b.shape()}))) {
              T *out_a = da.mutable_data<T>(), *out_b = db.mutable_data<T>();
              if (planes->plain == 0)
                return backward_planes(*planes, of_a, of_b, dys, in_a, in_b, out_a, out_b);
              auto swap = [](auto g) { return [g](T dy, T b, T a) { return g(dy, a, b); }; };
              return backward_planes(*planes, swap(of_b), swap(of_a), dys, in_b, in_a, out_b,
                                     out_a);
            }
          if (da.defined()) run(of_a, da);
          if (db.defined()) run(of_b, db);
        },
        function);
  });
}

}  // namespace

void add_arithmetic(Kernels& kernels) {
  kernels.arithmetic_forward = arithmetic_forward;
  kernels.arithmetic_backward = arithmetic_backward;
}

}  // namespace pade::cpu
