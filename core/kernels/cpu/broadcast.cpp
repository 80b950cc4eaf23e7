#include <algorithm>
#include <optional>
#include <variant>

#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/kernels.h>

namespace pade::cpu {
namespace {

/// Calls use(element…) with a function for each operand's run; see with_run().
template <class Use>
void with_runs(const int64_t*, const int64_t*, Use&& use) {
  use();
}
template <class Use, class T, class... More>
void with_runs(const int64_t* at, const int64_t* strides, Use&& use, const T* operand,
               const More*... more) {
  with_run(operand + *at, *strides, [&](auto element) {
    with_runs(
        at + 1, strides + 1, [&](auto... others) { use(element, others...); }, more...);
  });
}

/// out[i] = f(i, element i of each operand's run), the first operands of the nest, from where they
/// are `at`.
template <class F, class Out, class... In>
void map_run(const LoopNest& nest, const Offsets& at, int64_t count, F f, Out* out,
             const In*... in) {
  auto map = [=](auto... element) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) out[i] = f(i, element(i)...);
  };
  with_runs(at.data(), nest.inner().strides.data(), map, in...);
}

/// y = f(element of each operand), stretched to y's shape.
template <class F, class Out, class... In>
void map_elements(const LoopNest& nest, F f, Out* y, const In*... in) {
  parallel_runs(nest, [&](const Offsets& at, int64_t first, int64_t count) {
    map_run(
        nest, at, count, [f](int64_t, In... x) { return f(x...); }, y + first, in...);
  });
}

/// The gradient of what was stretched, the nest's last operand: f(dy, element of each operand),
/// summed where it does not move. dy comes after the operands.
template <class F, class T, class... In>
void map_to_target(const LoopNest& nest, F f, const T* dy, T* gradient, const In*... in) {
  constexpr int kOperands = sizeof...(In);
  auto source = [&](const Offsets& at, int64_t count, T* out) -> const T* {
    const T* dys = dy + at[kOperands];
    map_run(
        nest, at, count, [=](int64_t i, In... x) { return f(dys[i], x...); }, out, in...);
    return out;
  };
  sum_to_target(nest, kOperands + 1, source, gradient);
}

/// One operand has a number for each of `count` planes of `length` elements of the other.
struct Planes {
  int64_t count, length;
  int plain;  // which operand has an element for each of the result's

  /// Calls f(plane, first element) for all, in parallel, several at a time where they are small.
  template <class F>
  void for_each(F&& f) const {
    parallel_for(count, std::max<int64_t>(1, kElementBlock / length),
                 [=, n = length](int64_t begin, int64_t end) {
                   for (int64_t plane = begin; plane < end; ++plane) f(plane, plane * n);
                 });
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
  auto value = [f](T a, T b) { return f.value(a, b); };
  const auto planes = find_planes(nest);
  if (!planes) return map_elements(nest, value, y, a, b);
  planes->for_each(
      [=, &nest, n = planes->length, plain = planes->plain](int64_t plane, int64_t first) {
        const Offsets at = plain == 0 ? Offsets{first, plane} : Offsets{plane, first};
        map_run(
            nest, at, n, [=](int64_t, T a, T b) { return value(a, b); }, y + first, a, b);
      });
}

/// Both gradients in one pass over each plane; of_plain and of_single are functions of dy, the
/// plain operand's element and the other one's number.
template <class OfPlain, class OfSingle, class T>
void backward_planes(const Planes& planes, OfPlain of_plain, OfSingle of_single, const T* dy,
                     const T* plain, const T* single, T* d_plain, T* d_single) {
  planes.for_each([=, n = planes.length](int64_t plane, int64_t first) {
    const T *dys = dy + first, *x = plain + first, s = single[plane];
    T* dx = d_plain + first;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) {
      dx[i] = of_plain(dys[i], x[i], s);
      sum += static_cast<double>(of_single(dys[i], x[i], s));
    }
    d_single[plane] = static_cast<T>(sum);
  });
}

void arithmetic_forward(const arithmetic::Function& function, const Tensor& a, const Tensor& b,
                        Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  auto run = [&]<class T>(T) {
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
  dispatch_floating(dy.dtype(), "arithmetic", [&]<class T>(T) {
    const T *dys = dy.data<T>(), *in_a = used_a.data<T>(), *in_b = used_b.data<T>();
    auto run = [&](auto of_element, Tensor& gradient) {
      map_to_target(
          loop_over(dy.shape(), {used_a.shape(), used_b.shape(), dy.shape(), gradient.shape()}),
          of_element, dys, gradient.mutable_data<T>(), in_a, in_b);
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

void compare(const Comparison& comparison, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {a.shape(), b.shape()});
  uint8_t* out = y.mutable_data<uint8_t>();
  dispatch(a.dtype(), [&]<class T>(T) {
    std::visit(
        [&](auto f) {
          if (b.dtype() == a.dtype())
            map_elements(nest, f, out, a.data<T>(), b.data<T>());
          else
            map_elements(nest, f, out, a.data<T>(), b.data<double>());
        },
        comparison);
  });
}

void where_forward(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y) {
  const LoopNest nest = loop_over(y.shape(), {condition.shape(), a.shape(), b.shape()});
  dispatch(y.dtype(), [&]<class T>(T) {
    map_elements(
        nest, [](uint8_t chooses_a, T a, T b) { return chooses_a ? a : b; }, y.mutable_data<T>(),
        condition.data<uint8_t>(), a.data<T>(), b.data<T>());
  });
}

void where_backward(const Tensor& condition, bool chosen, const Tensor& dy, Tensor& gradient) {
  const LoopNest nest = loop_over(dy.shape(), {condition.shape(), dy.shape(), gradient.shape()});
  dispatch_floating(dy.dtype(), "where", [&]<class T>(T) {
    map_to_target(
        nest, [=](T dy, uint8_t chooses_a) { return (chooses_a != 0) == chosen ? dy : T(0); },
        dy.data<T>(), gradient.mutable_data<T>(), condition.data<uint8_t>());
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

}  // namespace pade::cpu
