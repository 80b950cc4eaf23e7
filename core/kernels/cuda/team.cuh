#pragma once

#include <pade/core/kernels/cuda/reduce.cuh>

/// Threads that work on one line of a tensor together. Each team has rank() and size(), and what it
/// reduces is known to all its threads afterwards:
///
///   for (int64_t line = Team::first(); line < lines; line += Team::step())
///     double sum = 0;
///     for (int64_t k = team.rank(); k < n; k += team.size()) sum += x[line * n + k];
///     sum = team.reduce(sum, 0.0, Plus{});
///
/// All threads of a team go through the same lines.
namespace pade::cuda {

struct Larger {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

/// A thread for itself: for lines whose neighbours lie beside each other.
struct ThreadTeam {
  static constexpr int kTeamsPerBlock = kThreads;
  __device__ static int64_t first() { return first_index(); }
  __device__ static int64_t step() { return index_step(); }
  __device__ int rank() const { return 0; }
  __device__ int size() const { return 1; }
  template <class T, class Combine>
  __device__ T reduce(T value, const T&, const Combine&) const {
    return value;
  }
};

/// A warp: for short lines.
struct WarpTeam {
  static constexpr int kTeamsPerBlock = kThreads / kWarpSize;
  __device__ static int64_t first() { return first_index() / kWarpSize; }
  __device__ static int64_t step() { return index_step() / kWarpSize; }
  __device__ int rank() const { return static_cast<int>(threadIdx.x) % kWarpSize; }
  __device__ int size() const { return kWarpSize; }
  template <class T, class Combine>
  __device__ T reduce(T value, const T&, const Combine& combine) const {
    return __shfl_sync(kAllLanes, warp_reduce(value, combine), 0);
  }
};

/// A block: for long lines.
struct BlockTeam {
  static constexpr int kTeamsPerBlock = 1;
  __device__ static int64_t first() { return blockIdx.x; }
  __device__ static int64_t step() { return gridDim.x; }
  __device__ int rank() const { return static_cast<int>(threadIdx.x); }
  __device__ int size() const { return kThreads; }
  template <class T, class Combine>
  __device__ T reduce(T value, const T& identity, const Combine& combine) const {
    PADE_SHARED(T, result, [1]);
    value = block_reduce(value, identity, combine);
    if (threadIdx.x == 0) result[0] = value;
    __syncthreads();
    return result[0];
  }
};

/// Blocks for so many lines, each with a team.
template <class Team>
unsigned blocks_for_lines(int64_t lines) {
  return blocks_for(lines, Team::kTeamsPerBlock);
}

/// Calls use(team) with the team that suits lines of `length` elements without gaps.
template <class F>
void with_line_team(int64_t length, F&& use) {
  constexpr int64_t kLong = 1024;
  if (length <= kLong)
    use(WarpTeam{});
  else
    use(BlockTeam{});
}

/// The same for lines whose elements are `stride` apart.
template <class F>
void with_team(int64_t length, int64_t stride, F&& use) {
  if (stride > 1)
    use(ThreadTeam{});
  else
    with_line_team(length, use);
}

}  // namespace pade::cuda
