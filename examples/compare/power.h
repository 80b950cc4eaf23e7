#pragma once

#include <optional>

namespace pade::compare {

/// With this probability the tables ask that a difference be found.
inline constexpr double kPower = 0.8;

/// The probability that the two-sided paired t test of n pairs finds, at 1 − kConfidence, a
/// difference whose mean is `effect` of its standard deviation: P(|T| > t) of the noncentral t
/// distribution with n − 1 degrees of freedom and the noncentrality effect · √n, to 1e-8. Throws
/// Error unless n >= 2 and the effect is finite.
double paired_t_power(double effect, int n);

/// The smallest n whose power is at least kPower; none where a million pairs are too few.
std::optional<int> pairs_needed(double effect);

/// The smallest effect that n pairs find with the probability kPower.
double resolvable_effect(int n);

}  // namespace pade::compare
