// Functions of one element.

#include <span>
#include <variant>

#include <pade/core/kernels/math/formula.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/kernels/reference/values.h>

namespace pade::reference {
namespace {

/// Element i is number i % kPerBlock of block i / kPerBlock.
template <class Numbers>
void draw(const Rng& rng, const Numbers& numbers, Tensor& tensor) {
  Values results(tensor.size());
  for (int64_t i = 0; i < tensor.size(); ++i)
    results[i] = numbers(rng.block_at(i / Numbers::kPerBlock))[i % Numbers::kPerBlock];
  store(results, tensor);
}

void fill_uniform(const Rng& rng, double low, double high, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "uniform", [&]<class T>(T) {  // each dtype has its own bits
    draw(rng, UniformNumbers<T>{static_cast<T>(low), static_cast<T>(high - low)}, tensor);
  });
}

void fill_normal(const Rng& rng, double mean, double deviation, Tensor& tensor) {
  draw(rng, NormalNumbers<double>{mean, deviation}, tensor);
}

void dropout(const Tensor& x, double probability, const Rng& rng, Tensor& y) {
  int64_t i = 0;
  const DropoutStep<double> step(probability);
  const auto next = [&](double x) {
    const double result = step(x, rng.block_at(i / 4)[i % 4]);
    ++i;
    return result;
  };
  map(y, next, x);
}

Values constants_of(const FormulaProblem& formula, std::span<const Tensor> parameters) {
  return parameters.empty() ? formula.constants : values(parameters[0]);
}

void elementwise_forward(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                         const Tensor& x, Tensor& y) {
  if (const auto* rational = std::get_if<RationalProblem>(&f.kind))
    return rational_forward(*rational, x, parameters[0], parameters[1], y);
  const auto& formula = std::get<FormulaProblem>(f.kind);
  const Values c = constants_of(formula, parameters);
  formulas::with_formula(formula.index, [&]<class F>(F) {
    map(
        y, [&](double x) { return formulas::value_at<F>(x, c.data()); }, x);
  });
}

void elementwise_backward(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                          const Tensor& saved, const Tensor& dy, Tensor& dx,
                          std::span<Tensor> gradients) {
  if (const auto* rational = std::get_if<RationalProblem>(&f.kind))
    return rational_backward(*rational, saved, parameters, dy, dx, gradients);
  const auto& formula = std::get<FormulaProblem>(f.kind);
  const Values c = constants_of(formula, parameters);
  Values dc(c.size(), 0);
  formulas::with_formula(formula.index, [&]<class F>(F) {
    const auto differentiate = [&](double s, double dy) {
      if constexpr (formulas::kSavesValue<F>) return dy * F::slope_from_value(s);
      const auto y = formulas::all_slopes_at<F>(s, c.data());
      for (int k = 1; k < formulas::kVariables<F>; ++k) dc[k - 1] += dy * y.slopes[k];
      return dy * y.slopes[0];
    };
    map(dx, differentiate, saved, dy);
  });
  if (!gradients.empty()) store(dc, gradients[0]);
}

void formula_curvature(int formula, const Tensor& x, const Tensor& constants, Tensor& y) {
  const Values c = values(constants);
  formulas::with_formula<formulas::Activations>(formula, [&]<class F>(F) {
    map(
        y, [&](double x) { return formulas::curvature_at<F>(x, c.data()).slopes[0].slopes[0]; }, x);
  });
}

}  // namespace

void add_elements(Kernels& kernels) {
  kernels.fill = [](Tensor& tensor, double value) { store(Values(tensor.size(), value), tensor); };
  kernels.convert = [](const Tensor& from, Tensor& to) { store(values(from), to); };
  kernels.add_scaled = [](Tensor& to, const Tensor& other, double alpha) {
    map(
        to, [&](double t, double o) { return t + alpha * o; }, to, other);
  };
  kernels.scale = [](Tensor& tensor, double factor) {
    map(
        tensor, [&](double t) { return t * factor; }, tensor);
  };
  kernels.fill_uniform = fill_uniform;
  kernels.fill_normal = fill_normal;
  kernels.dropout = dropout;
  kernels.elementwise_forward = elementwise_forward;
  kernels.elementwise_backward = elementwise_backward;
  kernels.formula_curvature = formula_curvature;
}

}  // namespace pade::reference
