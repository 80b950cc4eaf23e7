#include <algorithm>
#include <span>
#include <variant>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/formula.h>
#include <pade/core/kernels/cuda/elementwise.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {

// Of P/Q, in rational.cu.
void rational_forward(const RationalProblem& problem, const Tensor& x,
                      std::span<const Tensor> parameters, Tensor& y);
void rational_backward(const RationalProblem& problem, const Tensor& x,
                       std::span<const Tensor> parameters, const Tensor& dy, Tensor& dx,
                       std::span<Tensor> gradients);

namespace {

/// The constants of a formula: of a tensor, or else these.
template <class F, class T>
struct ConstantsOf {
  const T* parameter;
  T fixed[formulas::kPlaces<F>];

  template <class Use>
  PADE_HD auto in(Use&& use) const {
    T c[formulas::kPlaces<F>];
    PADE_UNROLL
    for (int k = 0; k < formulas::kVariables<F> - 1; ++k)
      c[k] = parameter ? parameter[k] : fixed[k];
    return use(c);
  }
};

template <class F, class T>
struct Value {
  ConstantsOf<F, T> constants;
  PADE_HD T operator()(T x) const {
    return constants.in([=](const T* c) { return formulas::value_at<F>(x, c); });
  }
};

/// `saved` is x, or y where the formula saves its value.
template <class F, class T>
struct Backward {
  ConstantsOf<F, T> constants;
  PADE_HD T operator()(T saved, T dy) const {
    if constexpr (formulas::kSavesValue<F>)
      return dy * F::slope_from_value(saved);
    else
      return constants.in([=](const T* c) { return dy * formulas::slope_at<F>(saved, c); });
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

// ---------------------------------------------------------------------------------- launchers

template <class F, class T>
ConstantsOf<F, T> constants_of(const FormulaProblem& formula, std::span<const Tensor> parameters) {
  ConstantsOf<F, T> constants{parameters.empty() ? nullptr : parameters[0].address<T>(), {}};
  for (size_t k = 0; k < formula.constants.size(); ++k)
    constants.fixed[k] = static_cast<T>(formula.constants[k]);
  return constants;
}

/// Calls f(formula, zero of x's type) with both as compile-time types.
template <class F>
void with_types(const FormulaProblem& formula, DType dtype, F&& f) {
  dispatch_floating(dtype, formula.name, [&](auto zero) {
    formulas::with_formula(formula.index, [&](auto of) { f(of, zero); });
  });
}

void elementwise_forward(const ElementwiseProblem& problem, std::span<const Tensor> parameters,
                         const Tensor& x, Tensor& y) {
  if (const auto* rational = std::get_if<RationalProblem>(&problem.kind))
    return rational_forward(*rational, x, parameters, y);
  const auto& formula = std::get<FormulaProblem>(problem.kind);
  with_types(formula, x.dtype(), [&]<class F, class T>(F, T) {
    elementwise(formula.name, Value<F, T>{constants_of<F, T>(formula, parameters)}, x.size(),
                y.mutable_address<T>(), x.address<T>());
  });
}

void elementwise_backward(const ElementwiseProblem& problem, std::span<const Tensor> parameters,
                          const Tensor& saved, const Tensor& dy, Tensor& dx,
                          std::span<Tensor> gradients) {
  if (const auto* rational = std::get_if<RationalProblem>(&problem.kind))
    return rational_backward(*rational, saved, parameters, dy, dx, gradients);
  const auto& formula = std::get<FormulaProblem>(problem.kind);
  with_types(formula, dy.dtype(), [&]<class F, class T>(F, T) {
    if constexpr (formulas::kMayLearn<F>)
      if (!gradients.empty()) {
        constexpr int kCount = formulas::kVariables<F> - 1;
        const unsigned blocks = std::max(blocks_for(dy.size()), 1u);
        Tensor partials = partial_sums(kCount, blocks);
        launch(F::kName, blocks, formula_backward_kernel<F, T>, saved.address<T>(),
               parameters[0].address<T>(), dy.address<T>(), dy.size(), dx.mutable_address<T>(),
               partials.mutable_address<double>());
        return sum_partials(F::kName, partials.address<double>(), kCount, blocks,
                            StoreSum<T>{gradients[0].mutable_address<T>()});
      }
    elementwise(formula.name, Backward<F, T>{constants_of<F, T>(formula, parameters)}, dy.size(),
                dx.mutable_address<T>(), saved.address<T>(), dy.address<T>());
  });
}

}  // namespace

void add_elementwise(Kernels& kernels) {
  kernels.elementwise_forward = elementwise_forward;
  kernels.elementwise_backward = elementwise_backward;
}

}  // namespace pade::cuda
