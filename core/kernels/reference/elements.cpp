// Functions of one element.

#include <variant>

#include <pade/core/kernels/math/dropout.h>
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

void unary_forward(const unary::Function& function, const Tensor& x, Tensor& y) {
  std::visit(
      [&](auto f) {
        map(
            y, [&](double x) { return f.value(x); }, x);
      },
      function);
}

void unary_backward(const unary::Function& function, const Tensor& saved, const Tensor& dy,
                    Tensor& dx) {
  const auto with = [&](auto f) {
    map(
        dx, [&](double s, double dy) { return dy * f.slope(s); }, saved, dy);
  };
  std::visit(with, function);
}

/// f of its type.
template <class F>
void with(const Formula& formula, F&& f) {
  formulas::with_formula(formula.index, f);
}

void formula_forward(const Formula& formula, const Tensor& x, const Tensor& constants, Tensor& y) {
  const Values c = values(constants);
  with(formula, [&]<class F>(F) {
    map(
        y, [&](double x) { return formulas::value_at<F>(x, c.data()); }, x);
  });
}

void formula_backward(const Formula& formula, const Tensor& x, const Tensor& constants,
                      const Tensor& dy, Tensor& dx) {
  const Values c = values(constants);
  with(formula, [&]<class F>(F) {
    map(
        dx, [&](double x, double dy) { return dy * formulas::slope_at<F>(x, c.data()); }, x, dy);
  });
}

void formula_backward_with_constants(const Formula& formula, const Tensor& x,
                                     const Tensor& constants, const Tensor& dy, Tensor& dx,
                                     Tensor& dconstants) {
  const Values c = values(constants);
  Values dc(c.size(), 0);
  const auto with_type = [&]<class F>(F) {
    const auto differentiate = [&](double x, double dy) {
      const auto y = formulas::all_slopes_at<F>(x, c.data());
      for (int k = 1; k < formulas::kVariables<F>; ++k) dc[k - 1] += dy * y.slopes[k];
      return dy * y.slopes[0];
    };
    map(dx, differentiate, x, dy);
  };
  with(formula, with_type);
  store(dc, dconstants);
}

void formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants,
                       Tensor& y) {
  const Values c = values(constants);
  const auto with_type = [&]<class F>(F) {
    map(
        y, [&](double x) { return formulas::curvature_at<F>(x, c.data()).slopes[0].slopes[0]; }, x);
  };
  with(formula, with_type);
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
  kernels.unary_forward = unary_forward;
  kernels.unary_backward = unary_backward;
  kernels.formula_forward = formula_forward;
  kernels.formula_backward = formula_backward;
  kernels.formula_backward_with_constants = formula_backward_with_constants;
  kernels.formula_curvature = formula_curvature;
}

}  // namespace pade::reference
