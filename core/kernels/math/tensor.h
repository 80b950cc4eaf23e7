#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <pade/core/kernels/math/host_device.h>

namespace pade {

/// As static_cast, but what an integer type cannot hold becomes its nearest value, and NaN zero.
template <class To, class From>
PADE_HD To convert(From value) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (value != value) return To{0};
    if (value <= static_cast<From>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    if (value >= static_cast<From>(std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
  } else if constexpr (std::is_same_v<To, uint8_t> && std::is_same_v<From, int32_t>) {
    return static_cast<To>(value < 0 ? 0 : value > 255 ? 255 : value);
  }
  return static_cast<To>(value);
}

}  // namespace pade
