#pragma once

#include <functional>

#include <pade/core/formula.h>
#include <pade/layers/study/polynomial.h>
#include <pade/layers/study/rational_function.h>

namespace pade {

using DifferentiableFunction = std::function<Derivatives(double)>;

/// The rational function G = P/Q (core/ops/rational.h) at one x, with its derivatives by x and by
/// each coefficient θ. Whatever here evaluates a rational function does so by this class:
///
///   G′ = (P′ − G Q′) / Q          ∂G/∂θ = (∂P/∂θ − G ∂Q/∂θ) / Q
///   G″ = (P″ − 2 G′ Q′ − G Q″) / Q
///   ∂G′/∂θ = (∂P′/∂θ − ∂G/∂θ Q′ − G ∂Q′/∂θ − G′ ∂Q/∂θ) / Q
///
/// sgn(0) = +1 at every kink, by x and by d_j. Degrees are at most 8/8, which is not checked.
class RationalPoint {
 public:
  /// `basis` is differentiate_basis(g.options.basis, x). It and g must outlive this object. With
  /// 2 `orders` curvature() has no meaning, and with 1 neither have slope() and slope_by().
  RationalPoint(const RationalFunction& g, const BasisDerivatives& basis, int orders = 3)
      : RationalPoint(g, basis, orders, denominator_constant(g.options.form)) {}
  /// The same with another `constant` than denominator_constant().
  RationalPoint(const RationalFunction& g, const BasisDerivatives& basis, int orders,
                double constant);

  double denominator() const { return q_[0]; }
  /// Whether Q holds the magnitude of a sum that is negative here.
  bool is_flipped() const { return is_flipped_; }
  double value() const { return value_; }
  double slope() const { return slope_; }
  double curvature() const { return (p_[2] - 2 * slope_ * q_[1] - value_ * q_[2]) / q_[0]; }
  /// ∂G/∂θ and ∂G′/∂θ for θ number k of c_0 … c_m, d_first … d_n.
  double value_by(size_t k) const;
  double slope_by(size_t k) const;

 private:
  const RationalFunction& g_;
  const BasisDerivatives& basis_;
  double p_[3] = {}, q_[3] = {};  // P and Q with their derivatives
  double sign_[kMaxDegree + 1];   // ∂Q/∂d_j is this times f_j, from d_first on
  bool is_flipped_ = false;
  double value_, slope_ = 0;
};

/// Value, slope and curvature of G at x. Far out P and Q are divided by powers of |x|, so nothing
/// overflows that is in range itself. With s = max(1, |x|) the errors of the three are roundings of
/// |G|, |G|/s and |G|/s² (times the terms' cancellation in P and Q). They are not finite at a pole.
/// Throws Error for an x that is not finite, and for degrees above 8/8.
Derivatives derivatives_of(const RationalFunction& g, double x);

/// The same for p/q.
Derivatives derivatives_of(const Polynomial& p, const Polynomial& q, double x);

}  // namespace pade
