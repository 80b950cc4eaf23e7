#pragma once

#include <vector>

namespace pade {

/// A problem in unknowns z: residuals that are to be small, and a lower bound for each unknown.
class ResidualProblem {
 public:
  virtual ~ResidualProblem() = default;

  /// Some of them are infinite where z is not permitted.
  virtual std::vector<double> residuals(const std::vector<double>& z) const = 0;
  /// ∂residual/∂z: one column after another, each as long as the residuals, which are more than the
  /// unknowns.
  virtual std::vector<double> jacobian(const std::vector<double>& z) const = 0;
  const std::vector<double>& lower() const { return lower_; }
  /// Moves every unknown to its lower bound if it is below.
  void clamp(std::vector<double>& z) const;

 protected:
  std::vector<double> lower_;  ///< −∞ where there is no bound
};

/// The unknowns at the end of a descent, and what was minimised.
struct DescentEnd {
  std::vector<double> z;
  double cost = 0;  ///< the sum of the squared residuals, or the largest residual
};

/// Descends from z to a local minimum of the squared residuals within the bounds by
/// Levenberg–Marquardt with Marquardt's scaling (SIAM J. Appl. Math. 11, 1963). Each step minimises
/// |J δ + r|² + λ |D δ|², where D holds the norms of J's columns, so that the unknowns' different
/// magnitudes do not matter. An unknown that is at its bound and would leave it stays there. It
/// ends with the step that takes less than `least_share` off the cost.
DescentEnd descend_squares(const ResidualProblem& problem, std::vector<double> z,
                           double least_share = 1e-13);

/// Descends from z to a local minimum of the largest |residual| within the bounds: each step solves
/// the linearised problem exactly in a box, which grows or shrinks as the prediction held or not
/// (M. R. Osborne and G. A. Watson, The Computer Journal 12, 1969, with a trust region). Every step
/// improves, so the end is never worse than z.
DescentEnd descend_largest(const ResidualProblem& problem, std::vector<double> z);

}  // namespace pade
