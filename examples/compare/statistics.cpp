#include "compare/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <pade/core/error.h>

#include "compare/power.h"
#include "compare/student_t.h"

namespace pade::compare {

Sample describe(std::span<const double> values) {
  Sample sample;
  sample.n = static_cast<int>(values.size());
  if (values.empty()) return sample;
  // From the first value, so that the mean of equal values is exactly that value.
  for (double value : values) sample.mean += (value - values[0]) / sample.n;
  sample.mean += values[0];
  if (sample.n < 2) return sample;
  double squares = 0;
  for (double value : values) squares += (value - sample.mean) * (value - sample.mean);
  sample.std = std::sqrt(squares / (sample.n - 1));
  sample.half_width = t_quantile(kConfidence, sample.n - 1) * *sample.std / std::sqrt(sample.n);
  return sample;
}

PairedDifference paired_difference(std::span<const double> values,
                                   std::span<const double> baselines) {
  check(values.size() == baselines.size(), "paired_difference: expected pairs, got ", values.size(),
        " values and ", baselines.size(), " baselines");
  std::vector<double> differences;
  double largest = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    differences.push_back(values[i] - baselines[i]);
    largest = std::max({largest, std::fabs(values[i]), std::fabs(baselines[i])});
  }
  const Sample sample = describe(differences);
  PairedDifference result;
  result.n = sample.n;
  result.mean = sample.mean;
  // Differences that are equal on paper differ by what subtraction rounded away.
  constexpr double kRounding = 8 * std::numeric_limits<double>::epsilon();
  if (!sample.std || *sample.std <= kRounding * largest) return result;
  result.low = sample.mean - *sample.half_width;
  result.high = sample.mean + *sample.half_width;
  result.p = two_sided_p(sample.mean / (*sample.std / std::sqrt(sample.n)), sample.n - 1);
  result.pairs_needed = pairs_needed(sample.mean / *sample.std);
  result.resolvable = resolvable_effect(sample.n) * *sample.std;
  return result;
}

std::vector<std::optional<double>> holm(const std::vector<std::optional<double>>& p_values) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p_values.size(); ++i)
    if (p_values[i]) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](size_t i, size_t j) { return *p_values[i] < *p_values[j]; });
  std::vector<std::optional<double>> corrected(p_values.size());
  double last = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    const double factor = static_cast<double>(order.size() - k);
    last = std::min(1.0, std::max(last, factor * *p_values[order[k]]));
    corrected[order[k]] = last;
  }
  return corrected;
}

}  // namespace pade::compare
