#pragma once

#include <cstdint>
#include <limits>

#include <pade/core/kernels/math/host_device.h>

namespace pade {

/// The largest of some numbers, and the number of the first element that has it.
template <class T>
struct Largest {
  T value;
  int32_t number;
};

/// What nothing is below. If nothing is above it, all elements equal it, and the first of all is
/// the answer.
template <class T>
inline constexpr Largest<T> kLargestOfNone{std::numeric_limits<T>::has_infinity
                                               ? -std::numeric_limits<T>::infinity()
                                               : std::numeric_limits<T>::lowest(),
                                           0};

/// NaN is above everything else. Of numbers, or of lanes.
template <class T>
PADE_HD auto is_above(T candidate, T value) {
  return (candidate > value) | ((candidate != candidate) & (value == value));  // without branches
}

}  // namespace pade
