#include "support/curve.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace pade::support {

std::vector<double> even_points(double low, double high, int count) {
  std::vector<double> x;
  for (int i = 0; i < count; ++i) x.push_back(low + (high - low) * i / std::max(1, count - 1));
  return x;
}

std::vector<Derivatives> sampled(const ActivationFunction& f, const std::vector<double>& x) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Derivatives> points;
  for (const double at : x) points.push_back(f.derivatives(at));
  for (const double pole : f.poles(x.front(), x.back())) {
    const auto after = std::lower_bound(x.begin(), x.end(), pole) - x.begin();
    for (const auto i : {std::max<std::ptrdiff_t>(after - 1, 0), after})
      points[static_cast<size_t>(i)] = {kNan, kNan, kNan};
  }
  return points;
}

std::vector<double> sampled_values(const ActivationFunction& f, const std::vector<double>& x) {
  std::vector<double> values;
  for (const Derivatives& at : sampled(f, x)) values.push_back(at.value);
  return values;
}

Band band_of(const std::vector<ActivationFunction>& functions, const std::vector<double>& x) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Band band{std::vector<double>(x.size(), 0), std::vector<double>(x.size(), kInfinity),
            std::vector<double>(x.size(), -kInfinity)};
  for (const ActivationFunction& f : functions) {
    const std::vector<double> values = sampled_values(f, x);
    for (size_t i = 0; i < x.size(); ++i) {
      band.mean[i] += values[i] / static_cast<double>(functions.size());
      band.least[i] = std::min(band.least[i], values[i]);  // NaN in the second place stays out
      band.largest[i] = std::max(band.largest[i], values[i]);
    }
  }
  return band;
}

std::pair<double, double> shown_range(std::vector<double> values) {
  const bool has_pole =
      std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return {-1, 1};
  std::sort(values.begin(), values.end());
  const size_t left_out = has_pole ? values.size() / 20 : 0;
  const double low = values[left_out], high = values[values.size() - 1 - left_out];
  const double room = high > low ? 0.06 * (high - low) : std::max(0.5, 0.5 * std::abs(low));
  return {low - room, high + room};
}

}  // namespace pade::support
