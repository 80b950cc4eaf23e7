#pragma once

#include <cstdint>

#include <pade/core/kernels/math/host_device.h>
#include <pade/core/random.h>

namespace pade {

/// dropout.h for one element, whose word of the generator is `bits`.
template <class T>
struct DropoutStep {
  float threshold;
  T scale;

  explicit DropoutStep(double probability)
      : threshold(static_cast<float>(probability)), scale(static_cast<T>(1 / (1 - probability))) {}

  PADE_HD T operator()(T x, uint32_t bits) const {
    return uniform_float(bits) >= threshold ? x * scale : T{0};
  }
};

}  // namespace pade
