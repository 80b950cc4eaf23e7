#pragma once

#include <string>
#include <vector>

#include <pade/layers/study/activation_function.h>

#include "lab/expression.h"

/// Activations as expressions, made of what defines them: of a rational one the recurrence of its
/// basis (core/polynomial_basis.h), of a formula the struct that Padé computes it with
/// (core/kernels/math/formula.h).
namespace pade::lab {

struct FunctionCode {
  Expression value, slope;
};

/// A rational function in the monic form of its basis: c_i scale_i up to m and d_j scale_j up to n,
/// from d_first on, as constants, or as elements of an array that has these for each group.
class MonicRational {
 public:
  /// Degrees whose coefficients are 0 in all groups are left out. Not empty, all of one kind.
  explicit MonicRational(const std::vector<ActivationFunction>& groups);

  /// What the array holds for each group: the numerator's, then the denominator's.
  const std::vector<std::vector<double>>& coefficients() const { return coefficients_; }

  /// By the recurrence; right up to |x| = limit(…), where no power of x comes near overflow in that
  /// precision. With an `array`, coefficient k is array[k].
  FunctionCode near(const std::string& array) const;
  double limit(bool is_float) const;
  /// In float64 and for |x| >= 1: both sums divided by powers of |x| as in
  /// core/kernels/math/rational_large_x.h.
  FunctionCode far(const std::string& array) const;

 private:
  struct Coefficients {
    std::vector<Expression> c, d;  // d from d_0 on, which is 0 where the form has none
  };
  Coefficients named(const std::string& array) const;

  RationalOptions options_;
  MonicRecurrence monic_;
  int m_ = 0, n_ = 0;
  std::vector<std::vector<double>> coefficients_;
};

/// A formula and its derivative by x; both right for every finite x of that precision.
FunctionCode code_of(const Formula& formula, const std::vector<double>& constants, bool is_float);

/// The same with the constants in `array`: the value, its derivative by x and that by each
/// constant. Where |x| is beyond a number `reach` that the code must be given, x is ±reach in the
/// derivatives' code.
struct FormulaGradients {
  Expression value;
  std::vector<Expression> slopes;  ///< by x first
};
FormulaGradients gradients_of(const Formula& formula, const std::string& array);

}  // namespace pade::lab
