#pragma once

#include <algorithm>

#include <pade/core/kernels/math/divisor.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {

/// Planes of one size, one after the other, whose elements have numbers below 2³¹.
struct PlaneIndex {
  int height, width, area;
  Divisor by_area, by_width;

  PlaneIndex(int64_t h, int64_t w)
      : height(static_cast<int>(h)),
        width(static_cast<int>(w)),
        area(static_cast<int>(h * w)),
        by_area(std::max(1, area)),
        by_width(std::max(1, width)) {}

  struct Place {
    int plane, row, column;
  };
  __device__ __forceinline__ Place at(int number) const {
    const int plane = by_area.quotient(number), rest = number - plane * area;
    const int row = by_width.quotient(rest);
    return {plane, row, rest - row * width};
  }
  __device__ __forceinline__ bool contains(int row, int column) const {
    return static_cast<unsigned>(row) < static_cast<unsigned>(height) &&
           static_cast<unsigned>(column) < static_cast<unsigned>(width);
  }
};

}  // namespace pade::cuda
