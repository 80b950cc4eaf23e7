#pragma once

#include <cstdint>

#include <pade/core/kernels/math/host_device.h>

namespace pade {

/// Division of numbers below 2³¹ by one and the same divisor: a product and a shift (Granlund and
/// Montgomery, Division by Invariant Integers using Multiplication, 1994).
class Divisor {
 public:
  Divisor() = default;  // of 1
  explicit Divisor(uint32_t divisor) {
    while ((uint64_t{1} << shift_) < divisor) ++shift_;
    const uint64_t excess = (uint64_t{1} << shift_) - divisor;
    multiplier_ = static_cast<uint32_t>((excess << 32) / divisor + 1);
  }

  PADE_HD uint32_t quotient(uint32_t number) const {
    const uint32_t product = static_cast<uint32_t>(uint64_t{number} * multiplier_ >> 32);
    return (product + number) >> shift_;
  }

 private:
  uint32_t multiplier_ = 1;
  int shift_ = 0;
};

}  // namespace pade
