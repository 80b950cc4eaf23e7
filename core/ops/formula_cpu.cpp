#include <vector>

#include <pade/core/ops/formula_kernels.h>
#include <pade/core/ops/formula_math.h>
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

template <class F, class T>
void backward_with_constants(const T* x, const T* constants, const T* dy, T* dx, int64_t n,
                             T* dconstants) {
  constexpr int kCount = formulas::kVariables<F> - 1;
  using Sums = std::array<double, formulas::kPlaces<F>>;
  std::vector<Sums> partial(blocks_of(n, kElementBlock), Sums{});
  parallel_blocks(static_cast<int64_t>(partial.size()), [&](int64_t block) {
    Sums sums{};
    const int64_t end = std::min(n, (block + 1) * kElementBlock);
    for (int64_t i = block * kElementBlock; i < end; ++i) {
      const auto y = formulas::all_slopes_at<F>(x[i], constants);
      const T upstream = dy[i];
      dx[i] = upstream * y.slopes[0];
      for (int k = 0; k < kCount; ++k) sums[k] += double{upstream} * y.slopes[1 + k];
    }
    partial[block] = sums;
  });
  for (int k = 0; k < kCount; ++k) {
    double total = 0;
    for (const Sums& sums : partial) total += sums[k];
    dconstants[k] = static_cast<T>(total);
  }
}

}  // namespace

void formula_forward(const Formula& formula, const Tensor& x, const Tensor& constants, Tensor& y) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    const T *in = x.data<T>(), *c = constants.data<T>();
    T* out = y.mutable_data<T>();
    parallel_for(x.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = formulas::value_at<decltype(f)>(in[i], c);
    });
  });
}

void formula_backward(const Formula& formula, const Tensor& x, const Tensor& constants,
                      const Tensor& dy, Tensor& dx) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    const T *in = x.data<T>(), *c = constants.data<T>(), *upstream = dy.data<T>();
    T* out = dx.mutable_data<T>();
    parallel_for(x.size(), kElementBlock, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        out[i] = upstream[i] * formulas::slope_at<decltype(f)>(in[i], c);
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
      for (int64_t i = begin; i < end; ++i)
        out[i] = formulas::curvature_at<decltype(f)>(in[i], c).slopes[0].slopes[0];
    });
  });
}

}  // namespace pade::cpu
