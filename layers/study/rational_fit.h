#pragma once

#include <functional>

#include <pade/layers/study/fit_target.h>
#include <pade/layers/study/rational_function.h>

namespace pade {

/// What a fit makes small.
enum class FitNorm {
  l2,   ///< the weighted mean squared error
  max,  ///< the largest |error|
};

struct FitOptions {
  double low = -3, high = 3;  ///< the interval; not used for samples, which have their own
  int points = 401;           ///< evenly spaced on it, ends included; not used for samples

  /// Weight of the squared error at x, up to a factor: finite, >= 0, and not 0 everywhere. Empty is
  /// uniform. A weight like the inputs' density makes the fit good where they are.
  std::function<double(double)> weight = {};
  FitNorm norm = FitNorm::l2;
  /// w′ >= 0: what is made small is Σ w ((G − t)² + w′ (G′ − t′)²).
  double derivative_weight = 0;
  /// With s > 0, the leading term keeps a share of Q: |d_n| l_n Rⁿ >= s (1 + Σ_{j<n} |d_j| l_j Rʲ),
  /// in full_sum s (1/10 + …), and d_n > 0, where l_j > 0 is the size of f_j's leading coefficient
  /// and R the interval's farther end. So Q grows with xⁿ from |x| of about R/s on at the latest,
  /// and with degrees (n+1)/n G grows like a line. 0.2 suits Leaky ReLU, most fits of which have
  /// about that anyway; 0 leaves d_n free, and also d_n = 0, after which G may grow with x³.
  double leading_floor = 0;
  double beyond = 10;  ///< how far outside the interval FitResult looks
};

/// The density of N(mean, sigma²), as a weight. Throws Error unless sigma > 0.
std::function<double(double)> normal_density(double sigma, double mean = 0);

struct FitResult {
  RationalFunction function;
  double rms = 0;           ///< root of the mean squared error over the points, weighted
  double max_error = 0;     ///< largest |error| over the points
  double max_error_at = 0;  ///< the x of it
  /// How often the error comes within 1 % of its largest size, counted once for each hill or valley
  /// of it over the points. The best fit for FitNorm::max has m + n + 2 or more of them where no
  /// d_j is at its bound, unless it is degenerate.
  int extrema = 0;
  double below = 0, above = 0;  ///< G at low − beyond and at high + beyond
  double max_slope = 0;         ///< largest |G′| on the interval, at 4001 points
};

/// The best fit of `target` by a rational function of degrees m/n that is found from several fixed
/// starts, in float64; so the same call gives the same coefficients. FitNorm::l2 walks from each by
/// descend_squares(), and FitNorm::max goes on from there by descend_largest(). In the unsafe form
/// Q stays positive at the points, so that poles are elsewhere. full_sum starts also from the best
/// fits of whole_sum and unsafe, which it holds, and is never worse than they are; where its sum
/// keeps its sign at the points, Q >= 1 there.
///
/// Throws Error for degrees above 8/8, an empty interval, too few points, a target or a weight that
/// is not finite, options that are negative, a weight or a derivative weight with FitNorm::max, and
/// a derivative weight with samples, which have no slope.
FitResult fit_rational(const FitTarget& target, RationalOptions options, int m, int n,
                       const FitOptions& fit = {});

/// The starts of Rational::hp1(), hp2() and pau(), and how they were fitted.
struct RationalPreset {
  const char* name;
  RationalFunction start;
  FitOptions fit;  ///< of leaky_relu
};
const RationalPreset& hp1_preset();
const RationalPreset& hp2_preset();
const RationalPreset& pau_preset();

/// The polynomial of this degree (1 to 8) next to ReLU for Z ~ N(0, 1), root mean square: Σ c_k
/// He_k with c_k = E[max(Z, 0) He_k(Z)] / k!, so that weights which suit ReLU suit it. c_0 =
/// 1/√(2π), c_1 = ½, c_{k+2} = c_k (1 − k) / ((k + 1) (k + 2)). Throws Error for another degree.
RationalFunction hermite_polynomial(int degree);

}  // namespace pade
