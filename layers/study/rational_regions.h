#pragma once

#include <complex>
#include <vector>

#include <pade/layers/study/polynomial.h>
#include <pade/layers/study/rational_function.h>

namespace pade {

/// A stretch of the real line on which G is one quotient p/q of polynomials.
struct RationalRegion {
  double low, high;  ///< kinks, or −∞ and ∞
  Polynomial p, q;   ///< in powers of x; common factors are not divided out

  /// The roots of p and of q: all complex ones, and the real ones in [low, high). Real ones have an
  /// imaginary part of exactly 0 (see roots()). Empty for p = 0.
  std::vector<std::complex<double>> zeros, poles;

  /// From [low, high] to the nearest root of q in the complex plane, real ones outside of the
  /// region included; ∞ without roots. How far p/q is analytic around the region.
  double pole_distance;
};

/// The regions of G from left to right. They meet where a |…| in Q turns: at the zeros of the f_j
/// with d_j ≠ 0 (termwise) or of Σ d_j f_j (whole_sum, full_sum) at which the sign changes; the
/// unsafe form has one region. Throws Error for degrees above 8/8, and for coefficients that are
/// not finite.
std::vector<RationalRegion> regions_of(const RationalFunction& g);

/// Where the regions meet, from left to right.
std::vector<double> kinks_of(const RationalFunction& g);

/// The real roots of Q in [low, high], from left to right. The safe forms have none.
std::vector<double> real_poles(const RationalFunction& g, double low, double high);

/// G far out on one side, by the leading coefficients.
struct Asymptote {
  double limit;  ///< of G: a number, or ±∞
  double slope;  ///< the limit of G′: 0, the slope of the line that G approaches, or ±∞
};
Asymptote asymptote_left(const RationalFunction& g);
Asymptote asymptote_right(const RationalFunction& g);

}  // namespace pade
