#pragma once

#include <string_view>
#include <vector>

namespace pade {

/// A function of one variable at one x: f, f′ and f″.
struct Derivatives {
  double value, slope, curvature;
};

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

/// Every formula there is, by name in the order of core/kernels/math/formula.h.
const std::vector<Formula>& all_formulas();
/// The one of that name; nullptr if there is none.
const Formula* find_formula(std::string_view name);

/// At one x, in float64.
Derivatives derivatives_of(const Formula& formula, double x, const std::vector<double>& constants);
/// ∂f/∂constant for each of them.
std::vector<double> gradient_of(const Formula& formula, double x,
                                const std::vector<double>& constants);

}  // namespace pade
