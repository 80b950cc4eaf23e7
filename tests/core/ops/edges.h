#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace pade::reference {

using Real = long double;

/// Where branches of formulas, and of the functions that they are made of, begin and end; where
/// exponentials underflow and overflow; zeros, the smallest, the largest and infinite numbers.
template <class T>
std::vector<double> edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<double> points = {0, Limits::denorm_min(), 3 * Limits::denorm_min(), 1e-20};
  for (const T edge :
       {Limits::min(), T(0.5), T(0.625), T(1), T(3), T(11), T(17.32), T(30), T(40), T(53.333332),
        T(88.72284), T(103.97), T(709.78), T(745.13), T(1e4), T(1e9), T(1.8446743e19), T(1e30)})
    for (const T neighbour : {-Limits::infinity(), edge, Limits::infinity()})
      points.push_back(std::nextafter(edge, neighbour));
  for (const T last : {Limits::max() / 2, Limits::max(), Limits::infinity()})
    points.push_back(last);
  const size_t count = points.size();
  for (size_t i = 0; i < count; ++i) points.push_back(-points[i]);
  return points;
}

/// Whether a result is the wanted one: to `tolerance`, relative to the larger of it and `scale`,
/// and to the last bit of a subnormal number.
template <class T>
bool is_near(double got, Real wanted, double tolerance, Real scale) {
  if (std::isnan(wanted)) return std::isnan(got);
  if (static_cast<T>(wanted) == static_cast<T>(got)) return true;  // infinities too
  return std::abs(got - wanted) <=
         tolerance * std::max(std::abs(wanted), scale) + std::numeric_limits<T>::denorm_min();
}

}  // namespace pade::reference
