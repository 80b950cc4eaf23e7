#pragma once

#include <functional>
#include <vector>

#include <pade/core/formula.h>

namespace pade::lab {

/// a f(b x + c) + d, where f is a formula whose constants are at their start.
struct ScaledFormula {
  const Formula* formula = nullptr;
  double a = 1, b = 1, c = 0, d = 0;

  double operator()(double x) const;
};

/// An x at which functions are compared, and how much it counts.
struct WeightedInput {
  double x, weight = 1;
};

/// `count` inputs, evenly spaced from `low` to `high`, which count alike.
std::vector<WeightedInput> uniform_inputs(double low, double high, int count);

struct NearestFormula {
  ScaledFormula function;
  int free_parameters = 0;  ///< how many of a, b, c, d were chosen; the others are 1, 1, 0, 0
  double rms = 0;           ///< root of the weighted mean of (g − function)² over the inputs
};

/// The one of all_formulas() that is nearest to g over the inputs, with a, b, c and d as they bring
/// it nearest. Each subset of the four is tried with the others left at 1, 1, 0, 0, and a free
/// parameter must pay for itself: what is made small is
///
///   (rms + 0.0005 s) · 1.1^k
///
/// with k free parameters and the standard deviation s of g over the inputs. Of those within 2 % of
/// the smallest the one with the fewest free parameters is taken, then that with the fewest of b
/// and c among them, then that with the fewest constants, then the first in all_formulas().
///
/// a and d are a linear least-squares problem for each b and c. Those are tried on a grid, with b
/// up to 16 and down to 1/8 of the inputs' scale, of both signs, and from its best points all
/// free parameters go on by descend_squares(). It is a search, so a nearer one may be missed, but
/// the same call gives the same bits.
///
/// Throws Error when there are no inputs, for weights that are negative or all 0, and for inputs or
/// values of g that are not finite.
NearestFormula nearest_formula(const std::function<double(double)>& g,
                               const std::vector<WeightedInput>& inputs);

}  // namespace pade::lab
