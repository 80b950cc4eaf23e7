#pragma once

#include <cstring>
#include <type_traits>

#include <pade/core/tensor.h>
#include <pade/core/kernels/cuda/kernel.cuh>

/// Combining a value of every thread, always in the same order, so that results have the same bits
/// on every run. Sums over several blocks take two launches: each block writes its sum, and
/// sum_partials() adds these up.
///
///   partial sums:   double sum = 0;  for (…) sum += x[i];
///                   sum = block_sum(sum);
///                   if (threadIdx.x == 0) partials[result * blocks + block] = sum;
///   then:           sum_partials("sum", partials, results, blocks, StoreSum<float>{y});
///
/// All threads of the warp or the block must call these functions. Results are right in lane 0 or
/// thread 0 alone.
namespace pade::cuda {

inline constexpr unsigned kAllLanes = 0xffffffff;
inline constexpr int kWarps = kThreads / kWarpSize;  ///< of a block

/// The value of the lane `distance` further up.
template <class T>
__device__ __forceinline__ T shuffle_down(const T& value, int distance) {
  if constexpr (std::is_arithmetic_v<T> && sizeof(T) >= 4) {
    return __shfl_down_sync(kAllLanes, value, distance);
  } else {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);
    int words[sizeof(T) / 4];
    std::memcpy(words, &value, sizeof(T));
#pragma unroll
    for (int& word : words) word = __shfl_down_sync(kAllLanes, word, distance);
    T result;
    std::memcpy(&result, words, sizeof(T));
    return result;
  }
}

/// Of the first kLanes lanes; combine(a, b) gives one T of two.
template <int kLanes = kWarpSize, class T, class Combine>
__device__ __forceinline__ T warp_reduce(T value, const Combine& combine) {
#pragma unroll
  for (int distance = kLanes / 2; distance > 0; distance /= 2)
    value = combine(value, shuffle_down(value, distance));
  return value;
}

/// The same over a block.
template <class T, class Combine>
__device__ __forceinline__ T block_reduce(T value, const Combine& combine) {
  PADE_SHARED(T, of_warp, [kWarps]);
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  value = warp_reduce(value, combine);
  __syncthreads();  // an earlier call's values have been read
  if (lane == 0) of_warp[warp] = value;
  __syncthreads();
  if (warp > 0) return value;
  return warp_reduce<kWarps>(of_warp[lane % kWarps], combine);
}

struct Plus {
  PADE_HD auto operator()(auto a, auto b) const { return a + b; }
};

struct Larger {
  PADE_HD auto operator()(auto a, auto b) const { return b > a ? b : a; }
};

template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  return warp_reduce(value, Plus{});
}
template <class T>
__device__ __forceinline__ T block_sum(T value) {
  return block_reduce(value, Plus{});
}

/// Calls finish(i, total) for each result i: partials[i · count + k] of all k, combined; the
/// identity where there are none. `lanes` threads share a result: those of a warp or of a block.
template <class T, class Combine, class Finish>
__global__ void __launch_bounds__(kThreads)
    combine_partials_kernel(const T* partials, int64_t results, int64_t count, int lanes,
                            T identity, Combine combine, Finish finish) {
  const bool by_warp = lanes == kWarpSize;
  const int lane = by_warp ? threadIdx.x % kWarpSize : threadIdx.x;
  int64_t i = by_warp ? first_index() / kWarpSize : blockIdx.x;
  const int64_t step = by_warp ? index_step() / kWarpSize : gridDim.x;
  for (; i < results; i += step) {
    T total = identity;
    for (int64_t k = lane; k < count; k += lanes) total = combine(total, partials[i * count + k]);
    total = by_warp ? warp_reduce(total, combine) : block_reduce(total, combine);
    if (lane == 0) finish(i, total);
  }
}

/// The second pass: `partials` is the GPU's memory, combine(a, b) and finish(i, total) are plain
/// structs of functions for it. Order of combination: by lanes, so combine() should not mind.
template <class T, class Combine, class Finish>
void combine_partials(const char* op, const T* partials, int64_t results, int64_t count,
                      const T& identity, Combine combine, Finish finish) {
  constexpr int64_t kEnoughForBlock = 8 * kWarpSize;
  const int lanes = count < kEnoughForBlock ? kWarpSize : kThreads;
  launch(op, blocks_for(results * lanes), combine_partials_kernel<T, Combine, Finish>, partials,
         results, count, lanes, identity, combine, finish);
}

/// Memory for the first pass.
inline Tensor partial_sums(int64_t results, int64_t blocks) {
  return Tensor::empty({results, blocks}, DType::float64, Device::cuda);
}

/// What becomes of the total number i.
template <class Out>
struct StoreSum {
  Out* out;
  PADE_HD void operator()(int64_t i, auto sum) const { out[i] = static_cast<Out>(sum); }
};
template <class Out>
struct StoreQuotient {
  Out* out;
  double divisor;
  PADE_HD void operator()(int64_t i, double sum) const { out[i] = static_cast<Out>(sum / divisor); }
};

/// The second pass of sums: store(i, Σ_k partials[i · count + k]).
template <class T, class Store>
void sum_partials(const char* op, const T* partials, int64_t results, int64_t count, Store store) {
  combine_partials(op, partials, results, count, T(0), Plus{}, store);
}

// ---------------------------------------------------------------------------------- teams

// Threads that work on one line of a tensor together. Each team has rank() and size(), and what it
// reduces is known to all its threads afterwards:
//
//   for (int64_t line = Team::first(); line < lines; line += Team::step())
//     double sum = 0;
//     for (int64_t k = team.rank(); k < n; k += team.size()) sum += x[line * n + k];
//     sum = team.reduce(sum, Plus{});
//
// All threads of a team go through the same lines.

template <int kSize>
struct Team {
  static constexpr int kTeamsPerBlock = kThreads / kSize;
  __device__ static int64_t first() { return first_index() / kSize; }
  __device__ static int64_t step() { return index_step() / kSize; }
  __device__ int rank() const { return static_cast<int>(threadIdx.x) % kSize; }
  __device__ int size() const { return kSize; }
  template <class T, class Combine>
  __device__ T reduce(T value, const Combine& combine) const {
    if constexpr (kSize == 1) {
      return value;
    } else if constexpr (kSize == kWarpSize) {
      return __shfl_sync(kAllLanes, warp_reduce(value, combine), 0);
    } else {
      PADE_SHARED(T, result, [1]);
      value = block_reduce(value, combine);
      if (threadIdx.x == 0) result[0] = value;
      __syncthreads();
      return result[0];
    }
  }
};

using ThreadTeam = Team<1>;        // for lines whose neighbours lie beside each other
using WarpTeam = Team<kWarpSize>;  // for short lines
using BlockTeam = Team<kThreads>;  // for long lines

/// Calls use(team, blocks) with the team that suits lines of `length` elements without gaps, and
/// with the blocks for so many of them.
template <class F>
void with_line_team(int64_t lines, int64_t length, F&& use) {
  constexpr int64_t kLong = 1024;
  auto with = [&](auto team) { use(team, blocks_for(lines, decltype(team)::kTeamsPerBlock)); };
  length <= kLong ? with(WarpTeam{}) : with(BlockTeam{});
}

/// The same for lines whose elements are `stride` apart.
template <class F>
void with_team(int64_t lines, int64_t length, int64_t stride, F&& use) {
  if (stride > 1)
    use(ThreadTeam{}, blocks_for(lines));
  else
    with_line_team(lines, length, use);
}

}  // namespace pade::cuda
