#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include <pade/core/kernels/cpu/fusion.h>
#include <pade/core/kernels/cpu/lane_loops.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Calls f(formula, zero of x's type) with both as compile-time types.
template <class F>
void with_types(const Formula& formula, DType dtype, F&& f) {
  dispatch_floating(dtype, formula.name, [&](auto zero) {
    formulas::with_formula(formula.index, [&](auto of) { f(of, zero); });
  });
}

/// dx, and sums[k] += Σ dy ∂f/∂constants[k]: in x's precision over a strip, which this is.
template <class F, class T>
void backward_strip(const T* x, const T* constants, const T* dy, T* dx, int64_t begin, int64_t end,
                    double* sums) {
  using V = typename Vector<T>::type;
  constexpr int kCount = formulas::kVariables<F> - 1;
  V of_strip[formulas::kPlaces<F>];
  for (V& sum : of_strip) sum = V(0);
  apply(
      [&](V at, V dys) {
        const auto y = formulas::all_slopes_at<F>(at, constants);
        for (int k = 0; k < kCount; ++k) of_strip[k] = of_strip[k] + dys * y.slopes[1 + k];
        return dys * y.slopes[0];
      },
      begin, end, dx, x, dy);
  for (int k = 0; k < kCount; ++k) sums[k] += Vector<T>::sum(of_strip[k]);
}

static_assert(kElementBlock % kStrip == 0);

template <class F, class T>
void backward_with_constants(const T* x, const T* constants, const T* dy, T* dx, int64_t n,
                             T* dconstants) {
  constexpr int kCount = formulas::kVariables<F> - 1;
  using Sums = std::array<double, formulas::kPlaces<F>>;
  std::vector<Sums> partial(blocks_of(n, kElementBlock), Sums{});
  parallel_blocks(static_cast<int64_t>(partial.size()), [&](int64_t block) {
    const int64_t end = std::min(n, (block + 1) * kElementBlock);
    for (int64_t begin = block * kElementBlock; begin < end; begin += kStrip)
      backward_strip<F>(x, constants, dy, dx, begin, std::min(end, begin + kStrip),
                        partial[block].data());
  });
  for (int k = 0; k < kCount; ++k) {
    double total = 0;
    for (const Sums& sums : partial) total += sums[k];
    dconstants[k] = static_cast<T>(total);
  }
}

/// Points to the constants, which must outlive it.
template <class F, class T>
class FormulaStrip : public StripFunction<T> {
 public:
  FormulaStrip(const T* constants, bool any_learns)
      : constants_(constants), any_learns_(any_learns) {}
  void forward(const T* x, T* y, int64_t count) const override {
    apply([c = constants_](auto at) { return formulas::value_at<F>(at, c); }, 0, count, y, x);
  }
  void backward(const T* x, const T* dy, T* dx, int64_t count, double* sums) const override {
    if (any_learns_) return backward_strip<F>(x, constants_, dy, dx, 0, count, sums);
    apply([c = constants_](auto at, auto above) { return above * formulas::slope_at<F>(at, c); }, 0,
          count, dx, x, dy);
  }
  int sum_count() const override { return any_learns_ ? formulas::kVariables<F> - 1 : 0; }

 private:
  const T* constants_;
  bool any_learns_;
};

class FormulaElementwise : public ElementwiseOp {
 public:
  FormulaElementwise(const Formula& formula, bool any_learns, const std::vector<bool>& learns)
      : formula_(formula), any_learns_(any_learns), learns_(learns) {}
  const char* name() const override { return formula_.name; }
  StripFunctions strips(DType dtype, std::span<const Tensor> parameters) const override {
    StripFunctions strips;
    with_types(formula_, dtype, [&](auto f, auto zero) {
      using T = decltype(zero);
      strips.set<T>(
          std::make_unique<FormulaStrip<decltype(f), T>>(parameters[0].data<T>(), any_learns_));
    });
    return strips;
  }
  void finish(std::span<const double> sums, std::span<const Tensor>,
              std::span<Tensor> gradients) const override {
    dispatch_floating(gradients[0].dtype(), formula_.name, [&](auto zero) {
      using T = decltype(zero);
      T* gradient = gradients[0].mutable_data<T>();
      for (int64_t k = 0; k < gradients[0].size(); ++k) {
        const bool learns = any_learns_ && (learns_.empty() || learns_[k]);
        gradient[k] = learns ? static_cast<T>(sums[k]) : T{0};
      }
    });
  }

 private:
  Formula formula_;
  bool any_learns_;
  std::vector<bool> learns_;
};

void formula_forward(const Formula& formula, const Tensor& x, const Tensor& constants, Tensor& y) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    const T *in = x.data<T>(), *c = constants.data<T>();
    T* out = y.mutable_data<T>();
    parallel_for(x.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      apply([c](auto at) { return formulas::value_at<decltype(f)>(at, c); }, begin, end, out, in);
    });
  });
}

void formula_backward(const Formula& formula, const Tensor& x, const Tensor& constants,
                      const Tensor& dy, Tensor& dx) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    const T *in = x.data<T>(), *c = constants.data<T>(), *dys = dy.data<T>();
    T* out = dx.mutable_data<T>();
    parallel_for(x.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      apply([c](auto at, auto above) { return above * formulas::slope_at<decltype(f)>(at, c); },
            begin, end, out, in, dys);
    });
  });
}

void formula_backward_with_constants(const Formula& formula, const Tensor& x,
                                     const Tensor& constants, const Tensor& dy, Tensor& dx,
                                     Tensor& dconstants) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    backward_with_constants<decltype(f)>(x.data<T>(), constants.data<T>(), dy.data<T>(),
                                         dx.mutable_data<T>(), x.size(),
                                         dconstants.mutable_data<T>());
  });
}

void formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants,
                       Tensor& y) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    const T *in = x.data<T>(), *c = constants.data<T>();
    T* out = y.mutable_data<T>();
    parallel_for(x.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      apply([c](auto at) { return formulas::curvature_at<decltype(f)>(at, c).slopes[0].slopes[0]; },
            begin, end, out, in);
    });
  });
}

}  // namespace

std::shared_ptr<const ElementwiseOp> formula_elementwise(const Formula& formula, bool any_learns,
                                                         const std::vector<bool>& learns) {
  return std::make_shared<FormulaElementwise>(formula, any_learns, learns);
}

void add_formula(Kernels& kernels) {
  kernels.formula_forward = formula_forward;
  kernels.formula_backward = formula_backward;
  kernels.formula_backward_with_constants = formula_backward_with_constants;
  kernels.formula_curvature = formula_curvature;
}

}  // namespace pade::cpu
