#include "lab/findings.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "lab/rational_features.h"

namespace pade::lab {
namespace {

constexpr int kPointsPerBar = 4;

/// Points in the middle of equal parts of [low, high], which share the weight.
void spread(double low, double high, double weight, std::vector<WeightedInput>& points) {
  if (!(weight > 0)) return;
  for (int i = 0; i < kPointsPerBar; ++i)
    points.push_back(
        {low + (high - low) * (2 * i + 1) / (2 * kPointsPerBar), weight / kPointsPerBar});
}

/// The smallest Q: at an end, where regions meet, or where Q′ = 0 in one.
ValueAt smallest_denominator(const RationalFunction& g, double low, double high) {
  std::vector<double> places{low, high};
  for (const RationalRegion& region : regions_of(g)) {
    places.push_back(region.low);
    for (const double x : real_roots(region.q.derivative())) places.push_back(x);
  }
  ValueAt smallest{g.denominator(low), low};
  for (const double x : places) {
    if (!(x >= low && x <= high)) continue;
    const double q = g.denominator(x);
    if (q < smallest.value) smallest = {q, x};
  }
  return smallest;
}

ValueAt largest_slope(const ActivationFunction& g, double low, double high) {
  if (!(low < high)) return {std::abs(g.derivatives(low).slope), low};
  const auto derivatives = [&](double x) { return g.derivatives(x); };
  const LipschitzConstant largest =
      (g.rational() ? features_of(*g.rational(), low, high) : search_curve(derivatives, low, high))
          .lipschitz;
  return {largest.value, largest.x};
}

double dead_share(const ActivationFunction& g, const std::vector<WeightedInput>& points) {
  double dead = 0, all = 0;
  for (const auto& [x, weight] : points) {
    all += weight;
    if (std::abs(g.derivatives(x).slope) < kDeadSlope) dead += weight;
  }
  return dead / all;
}

std::optional<NearestFormula> nearest(const ActivationFunction& g,
                                      std::vector<WeightedInput> points) {
  std::erase_if(points, [&](const WeightedInput& at) { return !std::isfinite(g(at.x)); });
  if (points.size() < 2) return std::nullopt;
  return nearest_formula(g, points);
}

}  // namespace

SeenInputs::SeenInputs(const std::optional<support::LayerInputs>& inputs,
                       const Interval& interval) {
  const bool seen = inputs && inputs->count > 0;
  if (seen) low = inputs->min, high = inputs->max;
  if (interval.is_given()) std::tie(low, high) = interval.over({low, high});
  evenly = interval.is_given() || !seen;
  if (evenly) {
    points = uniform_inputs(low, high, 201);
    return;
  }
  const Histogram& bars = inputs->histogram;
  const auto edge = [&](size_t k) { return bars.low + bars.width * static_cast<double>(k); };
  const auto inside = [&](double x) { return std::clamp(x, low, high); };
  const auto count = [](int64_t values) { return static_cast<double>(values); };
  spread(low, inside(edge(0)), count(bars.below), points);
  for (size_t k = 0; k < bars.counts.size(); ++k)
    spread(inside(edge(k)), inside(edge(k + 1)), count(bars.counts[k]), points);
  spread(inside(edge(bars.counts.size())), high, count(bars.above), points);
  if (points.empty()) points = {{low, 1}, {high, 1}};
}

std::optional<Findings> find_out(const ActivationFunction& g, const SeenInputs& seen) {
  const std::vector<double> values = g.values();
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    return std::nullopt;
  Findings found{nearest(g, seen.points),
                 dead_share(g, seen.points),
                 {},
                 largest_slope(g, seen.low, seen.high),
                 g.poles(seen.low, seen.high)};
  if (g.rational())
    found.min_denominator = smallest_denominator(*g.rational(), seen.low, seen.high);
  return found;
}

}  // namespace pade::lab
