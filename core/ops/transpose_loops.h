#pragma once

#include <utility>

#include <pade/core/lanes.h>

namespace pade {
namespace detail {

/// Swaps the off-diagonal blocks of kStep × kStep in each block twice as large.
template <class T, int kStep, int... kLane>
inline void swap_blocks(Lanes<T> (&rows)[kLaneCount<T>], std::integer_sequence<int, kLane...>) {
  constexpr int kLanes = kLaneCount<T>;
  for (int row = 0; row < kLanes; ++row) {
    if (row & kStep) continue;
    const Lanes<T> a = rows[row], b = rows[row + kStep];
    rows[row] = __builtin_shufflevector(a, b, (kLane & kStep ? kLane - kStep + kLanes : kLane)...);
    rows[row + kStep] =
        __builtin_shufflevector(a, b, (kLane & kStep ? kLane + kLanes : kLane + kStep)...);
  }
}

template <class T, int kStep>
inline void transpose_from(Lanes<T> (&rows)[kLaneCount<T>]) {
  if constexpr (kStep < kLaneCount<T>) {
    swap_blocks<T, kStep>(rows, std::make_integer_sequence<int, kLaneCount<T>>());
    transpose_from<T, 2 * kStep>(rows);
  }
}

}  // namespace detail

/// As a matrix with as many rows as lanes.
template <class T>
inline void transpose_lanes(Lanes<T> (&rows)[kLaneCount<T>]) {
  detail::transpose_from<T, 1>(rows);
}

}  // namespace pade
