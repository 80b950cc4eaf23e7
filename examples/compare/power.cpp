#include "compare/power.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <pade/core/error.h>

#include "compare/statistics.h"
#include "compare/student_t.h"

namespace pade::compare {
namespace {

/// Of the standard normal distribution.
double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

/// The density of the root of a chi-squared variable with `freedom` degrees of freedom.
double chi_density(double w, double freedom) {
  if (w <= 0) return freedom == 1 ? std::sqrt(2 / std::numbers::pi) : 0;
  return std::exp((1 - freedom / 2) * std::numbers::ln2 - std::lgamma(freedom / 2) +
                  (freedom - 1) * std::log(w) - w * w / 2);
}

/// ∫ f from a to b by Simpson's rule.
double integral(double a, double b, const auto& f) {
  constexpr int kSteps = 2000;  // even
  const double step = (b - a) / kSteps;
  double sum = f(a) + f(b);
  for (int i = 1; i < kSteps; ++i) sum += f(a + i * step) * (i % 2 == 1 ? 4 : 2);
  return sum * step / 3;
}

}  // namespace

double paired_t_power(double effect, int n) {
  check(n >= 2 && std::isfinite(effect), "paired_t_power: expected at least 2 pairs and a finite ",
        "effect, got ", n, " and ", effect);
  const double freedom = n - 1, shift = effect * std::sqrt(n), t = t_quantile(kConfidence, freedom);
  // T = (Z + shift) / (w / √freedom), with a normal Z and w as above. Outside of this range of w
  // lies less than 1e-20.
  constexpr double kRange = 10;
  const double middle = std::sqrt(freedom);
  return integral(std::max(0.0, middle - kRange), middle + kRange, [&](double w) {
    const double limit = t * w / middle;
    return (normal_cdf(shift - limit) + normal_cdf(-shift - limit)) * chi_density(w, freedom);
  });
}

std::optional<int> pairs_needed(double effect) {
  constexpr int kMost = 1'000'000;
  if (effect == 0 || paired_t_power(effect, kMost) < kPower) return std::nullopt;
  int low = 1, high = 2;  // too few, or perhaps enough
  while (high < kMost && paired_t_power(effect, high) < kPower) {
    low = high;
    high = std::min(2 * high, kMost);
  }
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (paired_t_power(effect, middle) < kPower ? low : high) = middle;
  }
  return high;
}

double resolvable_effect(int n) {
  double low = 0, high = 1;
  while (paired_t_power(high, n) < kPower) high *= 2;
  for (double middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2)
    (paired_t_power(middle, n) < kPower ? low : high) = middle;
  return high;
}

}  // namespace pade::compare
