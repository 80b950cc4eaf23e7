#pragma once

#include <utility>
#include <vector>

#include <pade/layers/study/activation_function.h>

/// Functions as points, for pictures and pages.
namespace pade::support {

/// `count` evenly spaced numbers from `low` to `high`, both included.
std::vector<double> even_points(double low, double high, int count);

/// Value, slope and curvature at each x, of which there are two or more in rising order. They are
/// NaN at the points next to a pole, where a line that is drawn through the others breaks.
std::vector<Derivatives> sampled(const ActivationFunction& f, const std::vector<double>& x);
/// The values alone.
std::vector<double> sampled_values(const ActivationFunction& f, const std::vector<double>& x);

/// What several functions are together, at each x: their mean, and the least and the largest.
struct Band {
  std::vector<double> mean, least, largest;
};
Band band_of(const std::vector<ActivationFunction>& functions, const std::vector<double>& x);

/// A range in which a curve through these values can be seen, with some room around: of all that
/// are finite. Where a NaN among them says that there is a pole, the twentieth part of them at each
/// end, which it sends far away, does not count. [-1, 1] where none is finite.
std::pair<double, double> shown_range(std::vector<double> values);

}  // namespace pade::support
