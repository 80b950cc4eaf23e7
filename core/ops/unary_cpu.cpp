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

template <class F, class T>
class UnaryStrip : public StripFunction<T> {
 public:
  explicit UnaryStrip(F f) : f_(f) {}
  void forward(const T* x, T* y, int64_t count) const override {
    const F f = f_;
    for (int64_t i = 0; i < count; ++i) y[i] = f.value(x[i]);
  }
  void backward(const T* x, const T* dy, T* dx, int64_t count, double*) const override {
    const F f = f_;
#pragma omp simd  // dx may be dy
    for (int64_t i = 0; i < count; ++i)
      dx[i] = dy[i] * f.slope(F::kSavesOutput ? f.value(x[i]) : x[i]);
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

}  // namespace

std::shared_ptr<const ElementwiseOp> unary_elementwise(const char* op, const unary::Function& f) {
  return std::make_shared<UnaryElementwise>(op, f);
}

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
