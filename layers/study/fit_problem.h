#pragma once

#include <array>
#include <vector>

#include <pade/layers/study/derivatives.h>
#include <pade/layers/study/descent.h>

namespace pade {

/// The points of a fit, and what it is to come near there.
struct FitPoints {
  std::vector<double> x;       ///< from left to right
  std::vector<double> y;       ///< the target
  std::vector<double> weight;  ///< of the squared error, 1 on average
  std::vector<double> slope;   ///< the target's derivative, or empty
};

/// A fit as a problem in unknowns. They are c_0 … c_m and d_first … d_n, but for d_n where there is
/// a floor (see FitOptions::leading_floor): there d_n = z + floor · (q_0 + Σ_{j<n} |d_j| l_j Rʲ) /
/// (l_n Rⁿ) with z >= 0 and q_0 = denominator_constant(). In the termwise form every d_j >= 0.
///
/// The residuals are √w (G − t) at every point and, with a derivative weight w′, also
/// √(w w′) (G′ − t′). Where Q <= 0, which only the unsafe form can have, they are infinite.
class FitProblem : public ResidualProblem {
 public:
  FitProblem(FitPoints points, RationalOptions options, int m, int n, double derivative_weight,
             double leading_floor);

  /// The same problem in another form.
  FitProblem with_form(RationalForm form) const;

  const FitPoints& points() const { return points_; }
  const RationalOptions& options() const { return options_; }
  int m() const { return m_; }
  int n() const { return n_; }
  /// The index of the first d.
  int first() const { return first_denominator(options_.form); }
  int denominators() const { return n_ + 1 - first(); }
  int unknowns() const { return m_ + 1 + denominators(); }
  size_t rows() const { return points_.x.size() * (derivative_weight_ > 0 ? 2 : 1); }
  /// The basis' functions at each point.
  const std::vector<BasisDerivatives>& basis() const { return basis_; }

  RationalFunction function(const std::vector<double>& z) const;
  /// The unknowns of a function of this form and these degrees, moved within the bounds.
  std::vector<double> unknowns_of(const RationalFunction& g) const;
  std::vector<double> residuals(const std::vector<double>& z) const override;
  std::vector<double> jacobian(const std::vector<double>& z) const override;
  /// The unknowns with this denominator (moved within the bounds) and the numerator of least
  /// squares.
  std::vector<double> with_denominator(std::vector<double> d) const;

 private:
  /// How many of G, G′ the residuals need.
  int orders() const { return derivative_weight_ > 0 ? 2 : 1; }
  double floor_of(const std::vector<double>& d) const;

  FitPoints points_;
  RationalOptions options_;
  int m_, n_;
  double derivative_weight_, floor_;
  std::vector<BasisDerivatives> basis_;
  std::array<double, kMaxDegree + 1> reach_;  // l_j Rʲ
};

/// The unknowns that a fit starts from, always the same: denominators of many sizes, each with the
/// numerator that is best for it. The termwise and the unsafe form need a dozen; the magnitude of a
/// sum makes many local minima, so whole_sum gets 200 more and full_sum 40.
std::vector<std::vector<double>> fit_starts(const FitProblem& problem);

}  // namespace pade
