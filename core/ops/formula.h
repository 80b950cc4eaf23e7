#pragma once

#include <string_view>
#include <vector>

#include <pade/core/derivatives.h>
#include <pade/core/tensor.h>

namespace pade {

/// An activation that a formula gives, with constants that may be learned: Swish, GELU, TanhSoft …
struct Formula {
  struct Constant {
    const char* name;
    double start;
    bool learns;  ///< unless told otherwise
  };

  const char* name;  ///< "swish"
  const char* text;  ///< "x sigmoid(beta x)"
  std::vector<Constant> constants;
  int index;  ///< in all_formulas()

  /// Where its constants start.
  std::vector<double> starts() const;
};

/// Every formula there is, by name in the order of core/ops/formula_math.h.
const std::vector<Formula>& all_formulas();
/// The one of that name; nullptr if there is none.
const Formula* find_formula(std::string_view name);

/// y = f(x; constants), element by element.
///
///   x           any shape; float32 or float64
///   constants   [number of constants], of x's dtype; on x's device
///   learns      which of them have a gradient, all where it is empty; the others' is 0
///
/// The derivatives are those of the formula, by forward-mode differentiation (core/dual.h); at a
/// kink that of the branch which the formula takes.
///
/// At ±∞ the value is the limit. Beyond ±2^100 in float32, and ±2^1000 in float64, all derivatives
/// are those at these numbers: the formula is its asymptote a x + b there, and derivatives by x
/// have reached their limits. The value at NaN is NaN.
///
/// The gradient of the constants is summed in
/// float64 over fixed blocks in a fixed order: the same bits for any number of threads, and on
/// every GPU. Throws Error on other dtypes and shapes.
Tensor apply_formula(const Formula& formula, const Tensor& x, const Tensor& constants,
                     const std::vector<bool>& learns = {});

/// d²f/dx², element by element. It is not recorded on a tape.
Tensor formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants);

/// At one x, in float64.
Derivatives derivatives_of(const Formula& formula, double x, const std::vector<double>& constants);

}  // namespace pade
