#pragma once

#include <limits>
#include <variant>
#include <vector>

#include <pade/core/formula.h>
#include <pade/core/rational_form.h>
#include <pade/core/tensor.h>

/// Functions of one tensor, element by element: y[i] = f(x[i]), float32 and float64, any shape. NaN
/// in, NaN out, unless said otherwise. All throw Error on other dtypes.
namespace pade {

struct ElementwiseProblem;

Tensor exp(const Tensor& x);
/// Natural logarithm: −Inf at 0, NaN below.
Tensor log(const Tensor& x);
/// NaN below 0; the derivative at ±0 is +Inf.
Tensor sqrt(const Tensor& x);
/// The derivative at 0 is 0.
Tensor abs(const Tensor& x);
/// x ** exponent for a constant exponent, as std::pow has it.
Tensor power(const Tensor& x, double exponent);
/// Of radians, right for every finite x, however large. NaN at ±Inf.
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
/// 1 / (1 + exp(−x)), without overflow for any x.
Tensor sigmoid(const Tensor& x);
/// min(max(x, low), high). The derivative is 1 on [low, high] and 0 outside. Throws Error unless
/// low <= high.
Tensor clamp(const Tensor& x, double low, double high = std::numeric_limits<double>::infinity());
/// max(x, 0). The derivative at 0 is 0.
Tensor relu(const Tensor& x);
/// x above 0, slope · x elsewhere. The derivative at 0 is `slope`.
Tensor leaky_relu(const Tensor& x, double slope = 0.01);

/// y = f(x; constants).
///
///   constants   [number of constants], of x's dtype; on x's device
///   learns      which of them have a gradient, all where it is empty; the others' is 0
///
/// The derivatives are those of the formula, by forward-mode differentiation
/// (core/kernels/math/dual.h); at a kink that of the branch which the formula takes.
///
/// At ±∞ the value is the limit. Beyond ±2^100 in float32, and ±2^1000 in float64, all derivatives
/// are those at these numbers: the formula is its asymptote a x + b there, and derivatives by x
/// have reached their limits.
///
/// The gradient of the constants is summed in float64 over fixed blocks in a fixed order: the same
/// bits for any number of threads, and on every GPU. Throws Error on other dtypes and shapes.
Tensor apply_formula(const Formula& formula, const Tensor& x, const Tensor& constants,
                     const std::vector<bool>& learns = {});

/// A function of one element with its parameters, before it is applied: to a tensor, by apply(), or
/// behind a batch normalisation, by norm_act() (core/ops/batch_norm.h).
struct ElementwiseFunction {
  /// f(x; constants), constants that have no gradient.
  ElementwiseFunction(const Formula& formula, std::vector<double> constants);
  /// As apply_formula() has it.
  ElementwiseFunction(const Formula& formula, const Tensor& constants,
                      std::vector<bool> learns = {});
  /// As rational() has it (core/ops/rational.h).
  ElementwiseFunction(const Tensor& numerator, const Tensor& denominator, RationalOptions options);

  struct OfFormula {
    const Formula* formula;
    std::vector<double> constants;  ///< where they are not a parameter
    std::vector<bool> learns;
  };
  std::variant<OfFormula, RationalOptions> kind;
  std::vector<Tensor> parameters;  ///< {constants}, or {numerator, denominator}, or none

  const char* name() const;  ///< "relu", "rational"
  /// What kernels are told. Throws Error unless it can be applied to x.
  ElementwiseProblem problem(const Tensor& x) const;
};

/// f(x), recorded as one op.
Tensor apply(const ElementwiseFunction& f, const Tensor& x);

}  // namespace pade
