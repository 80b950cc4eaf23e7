#include <algorithm>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/parallel.h>
#include <pade/core/kernels/cuda/elementwise.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {
namespace {

template <class F, class T>
struct Value {
  const T* constants;
  PADE_HD T operator()(T x) const { return formulas::value_at<F>(x, constants); }
};

template <class F, class T>
struct Backward {
  const T* constants;
  PADE_HD T operator()(T x, T dy) const { return dy * formulas::slope_at<F>(x, constants); }
};

template <class F, class T>
struct Curvature {
  const T* constants;
  PADE_HD T operator()(T x) const {
    return formulas::curvature_at<F>(x, constants).slopes[0].slopes[0];
  }
};

/// dx, and partials[k][block] of Σ dy ∂f/∂constants[k].
template <class F, class T>
__global__ void __launch_bounds__(kThreads)
    formula_backward_kernel(const T* x, const T* constants, const T* dy, int64_t n, T* dx,
                            double* partials) {
  constexpr int kCount = formulas::kVariables<F> - 1;
  double sums[kCount] = {};
  for (int64_t i = first_index(); i < n; i += index_step()) {
    const auto y = formulas::all_slopes_at<F>(x[i], constants);
    const T dys = dy[i];
    dx[i] = dys * y.slopes[0];
#pragma unroll
    for (int k = 0; k < kCount; ++k) sums[k] += double{dys} * y.slopes[1 + k];
  }
#pragma unroll
  for (int k = 0; k < kCount; ++k) {
    const double total = block_sum(sums[k]);
    if (threadIdx.x == 0) partials[int64_t{k} * gridDim.x + blockIdx.x] = total;
  }
}

Tensor partial_sums(int64_t sums, int64_t blocks) {
  return Tensor::empty({sums, blocks}, DType::float64, Device::cuda);
}

// ---------------------------------------------------------------------------------- launchers

/// Calls f(formula, zero of x's type) with both as compile-time types.
template <class F>
void with_types(const Formula& formula, DType dtype, F&& f) {
  dispatch_floating(dtype, formula.name, [&](auto zero) {
    formulas::with_formula(formula.index, [&](auto of) { f(of, zero); });
  });
}

template <class F, class T>
void backward_with_constants(const Tensor& x, const Tensor& constants, const Tensor& dy, Tensor& dx,
                             Tensor& dconstants) {
  constexpr int kCount = formulas::kVariables<F> - 1;
  const unsigned blocks = std::max(blocks_for(x.size()), 1u);
  Tensor partials = partial_sums(kCount, blocks);
  launch(F::kName, {blocks}, formula_backward_kernel<F, T>, x.address<T>(), constants.address<T>(),
         dy.address<T>(), x.size(), dx.mutable_address<T>(), partials.mutable_address<double>());
  sum_partials(F::kName, partials.address<double>(), kCount, blocks, ToScalar<T>{},
               dconstants.mutable_address<T>());
}

void formula_forward(const Formula& formula, const Tensor& x, const Tensor& constants, Tensor& y) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    elementwise(formula.name, Value<decltype(f), T>{constants.address<T>()}, x.size(),
                y.mutable_address<T>(), x.address<T>());
  });
}

void formula_backward(const Formula& formula, const Tensor& x, const Tensor& constants,
                      const Tensor& dy, Tensor& dx) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    elementwise(formula.name, Backward<decltype(f), T>{constants.address<T>()}, x.size(),
                dx.mutable_address<T>(), x.address<T>(), dy.address<T>());
  });
}

void formula_backward_with_constants(const Formula& formula, const Tensor& x,
                                     const Tensor& constants, const Tensor& dy, Tensor& dx,
                                     Tensor& dconstants) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using F = decltype(f);
    if constexpr (!F::kConstants.empty())
      backward_with_constants<F, decltype(zero)>(x, constants, dy, dx, dconstants);
  });
}

void formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants,
                       Tensor& y) {
  with_types(formula, x.dtype(), [&](auto f, auto zero) {
    using T = decltype(zero);
    elementwise(formula.name, Curvature<decltype(f), T>{constants.address<T>()}, x.size(),
                y.mutable_address<T>(), x.address<T>());
  });
}

}  // namespace

void add_formula(Kernels& kernels) {
  kernels.formula_forward = formula_forward;
  kernels.formula_backward = formula_backward;
  kernels.formula_backward_with_constants = formula_backward_with_constants;
  kernels.formula_curvature = formula_curvature;
}

}  // namespace pade::cuda
