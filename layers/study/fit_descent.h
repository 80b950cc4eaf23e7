#pragma once

#include <vector>

#include <pade/layers/study/fit_problem.h>

namespace pade {

/// The unknowns at the end of a walk, and what was made small.
struct FitEnd {
  std::vector<double> z;
  double cost = 0;  ///< the sum of the squared residuals, or the largest residual
};

/// From z downhill to a local minimum of the squared residuals within the bounds:
/// Levenberg–Marquardt with Marquardt's scaling. Each step minimises |J δ + r|² + λ |D δ|², where D
/// holds the norms of J's columns, so that the bases' different magnitudes do not matter. An
/// unknown that is at its bound and would leave it stays there.
FitEnd descend_squares(const FitProblem& problem, std::vector<double> z);

/// From z downhill to a local minimum of the largest |residual| within the bounds: each step solves
/// the linearised problem exactly in a box, which grows and shrinks as the prediction held (M. R.
/// Osborne and G. A. Watson, The Computer Journal 12, 1969, with a trust region). Every step
/// improves, so the end is never worse than z.
FitEnd descend_largest(const FitProblem& problem, std::vector<double> z);

}  // namespace pade
