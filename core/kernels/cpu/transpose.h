#pragma once

#include <algorithm>
#include <utility>

#include <pade/core/kernels/cpu/simd.h>

namespace pade {

/// As a matrix with as many rows as lanes: each step swaps the off-diagonal blocks of kStep × kStep
/// in each block twice as large.
template <class T, int kStep = 1>
inline void transpose_lanes(Lanes<T> (&rows)[kLaneCount<T>]) {
  constexpr int kLanes = kLaneCount<T>;
  auto swap_blocks = [&]<int... kLane>(std::integer_sequence<int, kLane...>) {
    for (int row = 0; row < kLanes; ++row) {
      if (row & kStep) continue;
      const Lanes<T> a = rows[row], b = rows[row + kStep];
      rows[row] =
          __builtin_shufflevector(a, b, (kLane & kStep ? kLane - kStep + kLanes : kLane)...);
      rows[row + kStep] =
          __builtin_shufflevector(a, b, (kLane & kStep ? kLane + kLanes : kLane + kStep)...);
    }
  };
  swap_blocks(std::make_integer_sequence<int, kLanes>());
  if constexpr (2 * kStep < kLanes) transpose_lanes<T, 2 * kStep>(rows);
}

/// The sum of the lanes of each of `count` vectors.
template <class T>
void sum_each(const T* vectors, int64_t count, T* sums) {
  constexpr int64_t kLanes = kLaneCount<T>;
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t here = std::min(kLanes, count - i);
    Lanes<T> block[kLanes] = {};
    for (int64_t k = 0; k < here; ++k) block[k] = load_lanes(vectors + (i + k) * kLanes);
    transpose_lanes<T>(block);
    for (int64_t step = 1; step < kLanes; step *= 2)
      for (int64_t k = 0; k < kLanes; k += 2 * step) block[k] += block[k + step];
    store_lanes<T>(sums + i, block[0], here);
  }
}

}  // namespace pade
