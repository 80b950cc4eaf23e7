#include <memory>
#include <span>
#include <type_traits>
#include <variant>

#include <pade/core/kernels/cpu/fusion.h>
#include <pade/core/kernels/cpu/lane_loops.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

// What compilers do not vectorise: calls of the library's functions.
FloatLanes value_of(unary::Exp, FloatLanes x) { return exp(x); }
FloatLanes value_of(unary::Log, FloatLanes x) { return log(x); }
FloatLanes value_of(unary::Tanh, FloatLanes x) { return tanh(x); }
FloatLanes value_of(unary::Sigmoid, FloatLanes x) {
  const FloatLanes e = exp(-lane_functions::absolute(x)), one(1);  // as unary::Sigmoid has it
  return choose(x < FloatLanes(0), e, one) / (one + e);
}

template <class F, class T>
concept HasLanes = std::is_same_v<T, float> && requires(F f, FloatLanes x) {
  value_of(f, x);
};

/// y may be x.
template <class F, class T>
void values(F f, const T* x, T* y, int64_t n) {
  if constexpr (HasLanes<F, T>) {
    apply([f](FloatLanes at) { return value_of(f, at); }, 0, n, y, x);
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = f.value(x[i]);
  }
}

/// dx may be `saved` or dy.
template <class F, class T>
void chain(F f, const T* saved, const T* dy, T* dx, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * f.slope(saved[i]);
}

template <class F, class T>
class UnaryStrip : public StripFunction<T> {
 public:
  explicit UnaryStrip(F f) : f_(f) {}
  void forward(const T* x, T* y, int64_t count) const override { values(f_, x, y, count); }
  void backward(const T* x, const T* dy, T* dx, int64_t count, double*) const override {
    if constexpr (F::kSavesOutput) {
      T y[kStrip];
      values(f_, x, y, count);
      chain(f_, y, dy, dx, count);
    } else {
      chain(f_, x, dy, dx, count);
    }
  }

 private:
  F f_;
};

class UnaryElementwise : public ElementwiseOp {
 public:
  UnaryElementwise(const char* op, const unary::Function& function)
      : op_(op), function_(function) {}
  const char* name() const override { return op_; }
  StripFunctions strips(DType dtype, std::span<const Tensor>) const override {
    StripFunctions strips;
    dispatch_floating(dtype, op_, [&](auto zero) {
      using T = decltype(zero);
      std::visit([&](auto f) { strips.set<T>(std::make_unique<UnaryStrip<decltype(f), T>>(f)); },
                 function_);
    });
    return strips;
  }
  void finish(std::span<const double>, std::span<const Tensor>, std::span<Tensor>) const override {}

 private:
  const char* op_;
  unary::Function function_;
};

void unary_forward(const unary::Function& function, const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "unary", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    std::visit(
        [&](auto f) {
          parallel_for(x.size(), kElementBlock, [=](int64_t begin, int64_t end) {
            values(f, in + begin, out + begin, end - begin);
          });
        },
        function);
  });
}

void unary_backward(const unary::Function& function, const Tensor& saved, const Tensor& dy,
                    Tensor& dx) {
  dispatch_floating(dy.dtype(), "unary", [&](auto zero) {
    using T = decltype(zero);
    const T *of = saved.data<T>(), *dys = dy.data<T>();
    T* out = dx.mutable_data<T>();
    std::visit(
        [&](auto f) {
          parallel_for(dy.size(), kElementBlock, [=](int64_t begin, int64_t end) {
            chain(f, of + begin, dys + begin, out + begin, end - begin);
          });
        },
        function);
  });
}

}  // namespace

std::shared_ptr<const ElementwiseOp> unary_elementwise(const char* op, const unary::Function& f) {
  return std::make_shared<UnaryElementwise>(op, f);
}

void add_unary(Kernels& kernels) {
  kernels.unary_forward = unary_forward;
  kernels.unary_backward = unary_backward;
}

}  // namespace pade::cpu
