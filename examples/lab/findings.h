#pragma once

#include <optional>
#include <vector>

#include "lab/interval.h"
#include "lab/nearest_formula.h"
#include "support/learned_layers.h"

namespace pade::lab {

/// Where a function is looked at: evenly over the interval, where one is given; or else over the
/// inputs that a layer has seen; or evenly over [-5, 5] where these are not known.
struct SeenInputs {
  double low = -5, high = 5;
  bool evenly = true;
  std::vector<WeightedInput> points;  ///< where not evenly, some in each of the histogram's bars

  explicit SeenInputs(const std::optional<support::LayerInputs>& inputs,
                      const Interval& interval = {});
};

/// A value, and the x at which it is.
struct ValueAt {
  double value = 0, x = 0;
};

struct Findings {
  std::optional<NearestFormula> nearest;  ///< none where there are fewer than two finite values
  double dead_share = 0;  ///< of the inputs, those with |G′| < 1e-3, which pass hardly any gradient
  std::optional<ValueAt> min_denominator;  ///< of a rational one the smallest Q on [low, high]
  ValueAt max_slope;          ///< the largest |G′| on it; infinite where there is a pole
  std::vector<double> poles;  ///< on it
};

/// Below this |G′| an input counts as dead.
inline constexpr double kDeadSlope = 1e-3;

/// What a function is over the inputs; nothing where its coefficients are not all finite.
std::optional<Findings> find_out(const ActivationFunction& g, const SeenInputs& seen);

}  // namespace pade::lab
