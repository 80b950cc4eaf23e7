#pragma once

#include <optional>
#include <span>
#include <vector>

namespace pade::compare {

inline constexpr double kConfidence = 0.95;

/// A sample's mean and spread.
struct Sample {
  int n = 0;
  double mean = 0;            ///< meaningless where n is 0
  std::optional<double> std;  ///< with n − 1; none below two values
  /// Half the width of the mean's interval at kConfidence by Student's t; none where std is.
  std::optional<double> half_width;
};
Sample describe(std::span<const double> values);

/// What pairs say of the mean of `value − baseline`: the paired t test.
struct PairedDifference {
  int n = 0;        ///< pairs
  double mean = 0;  ///< meaningless where n is 0
  /// The interval at kConfidence and the two-sided p-value; none with fewer than two pairs, or when
  /// all differences are the same (to rounding), which leaves the test without a scale.
  std::optional<double> low, high, p;
  /// How many pairs would find this difference, given the spread of these, with the probability
  /// kPower (power.h), and the smallest difference that so many pairs as these find with it. None
  /// where low and high are; none needed, too, where a million would be too few.
  std::optional<int> pairs_needed;
  std::optional<double> resolvable;
};
/// Throws Error unless there are as many of one as of the other.
PairedDifference paired_difference(std::span<const double> values,
                                   std::span<const double> baselines);

/// Holm's correction ("A simple sequentially rejective multiple test procedure", 1979): the k-th
/// smallest of m p-values times m − k + 1, never smaller than the one before nor above 1. Rejecting
/// what is below α then errs anywhere with a probability of at most α. A test without p-value has
/// none after it and does not count.
std::vector<std::optional<double>> holm(const std::vector<std::optional<double>>& p_values);

}  // namespace pade::compare
