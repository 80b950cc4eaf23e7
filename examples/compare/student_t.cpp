#include "compare/student_t.h"

#include <cmath>
#include <limits>

#include <pade/core/error.h>

namespace pade::compare {
namespace {

/// 1 + d₁/(1 + d₂/(1 + …)) with the terms of DLMF 8.17.22, by Lentz's method: from one convergent
/// to the next, the fraction grows by a factor whose parts follow from those of the last.
double continued_fraction(double a, double b, double x) {
  constexpr int kMostTerms = 100000;
  const auto away_from_zero = [](double v) { return v == 0 ? 1e-300 : v; };
  double fraction = 1, numerators = 1, denominators = 0;
  for (int k = 1; k <= kMostTerms; ++k) {
    const double m = k / 2;  // the whole part
    const double term = k % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                   : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    numerators = away_from_zero(1 + term / numerators);
    denominators = 1 / away_from_zero(1 + term * denominators);
    const double factor = numerators * denominators;
    fraction *= factor;
    if (std::fabs(factor - 1) < 2 * std::numeric_limits<double>::epsilon()) return fraction;
  }
  fail("regularised_incomplete_beta: the fraction of a = ", a, ", b = ", b, ", x = ", x,
       " does not converge");
}

}  // namespace

double regularised_incomplete_beta(double a, double b, double x) {
  check(a > 0 && b > 0 && x >= 0 && x <= 1,
        "regularised_incomplete_beta: expected a > 0, b > 0 and x in [0, 1], got a = ", a,
        ", b = ", b, ", x = ", x);
  if (x == 0 || x == 1) return x;
  // I_x(a, b) = 1 − I_{1−x}(b, a); the fraction converges fast on the smaller side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularised_incomplete_beta(b, a, 1 - x);
  const double log_factor = a * std::log(x) + b * std::log1p(-x) + std::lgamma(a + b) -
                            std::lgamma(a) - std::lgamma(b) - std::log(a);
  return std::exp(log_factor) / continued_fraction(a, b, x);
}

double two_sided_p(double t, double freedom) {
  check(freedom > 0 && !std::isnan(t), "two_sided_p: expected a number and degrees of freedom > 0,",
        " got t = ", t, ", ", freedom, " degrees");
  const double square = t * t;
  if (std::isinf(square)) return 0;
  // p = I_x(ν/2, 1/2) at x = ν/(ν + t²). Near x = 1, where p is near 1, 1 − x is what has the
  // digits.
  if (square > freedom)
    return regularised_incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square));
  return 1 - regularised_incomplete_beta(0.5, freedom / 2, square / (freedom + square));
}

double t_quantile(double confidence, double freedom) {
  check(confidence > 0 && confidence < 1 && freedom > 0,
        "t_quantile: expected a confidence in (0, 1) and degrees of freedom > 0, got ", confidence,
        " and ", freedom);
  double low = 0, high = 1;
  while (two_sided_p(high, freedom) > 1 - confidence) {
    low = high;
    high *= 2;
  }
  for (double middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2)
    (two_sided_p(middle, freedom) > 1 - confidence ? low : high) = middle;
  return high;
}

}  // namespace pade::compare
