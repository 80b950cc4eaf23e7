#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include <pade/core/ops/rational.h>

namespace pade {

/// A rational function with its coefficients, in float64: c_0 … c_m and d_1 … d_n.
struct RationalFunction {
  RationalOptions options;
  std::vector<double> c, d;

  double operator()(double x) const;
};

/// The activation of that name, to fit: relu, leaky_relu (slope 0.01), gelu (erf), swish, tanh,
/// sigmoid, identity. Throws Error that lists them.
std::function<double(double)> fit_target_named(std::string_view name);

struct FitOptions {
  double low = -3, high = 3;  ///< the interval
  int points = 401;           ///< evenly spaced on it, ends included
};

struct FitResult {
  RationalFunction function;
  double rms = 0;        ///< root of the mean squared error over the points
  double max_error = 0;  ///< largest |error| over the points
};

/// The least-squares fit of `target` by a rational function of degrees m/n: Levenberg–Marquardt in
/// float64 from several fixed starts, of which the best end is taken; so the same call gives the
/// same coefficients. Throws Error for degrees above 8/8, an empty interval, too few points, and a
/// target that is not finite on the interval.
FitResult fit_rational(const std::function<double(double)>& target, RationalOptions options, int m,
                       int n, FitOptions fit = {});

}  // namespace pade
