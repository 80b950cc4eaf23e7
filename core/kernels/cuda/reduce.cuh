#pragma once

#include <cstring>
#include <type_traits>

#include <pade/core/kernels/cuda/kernel.cuh>

/// Combining a value of every thread, always in the same order, so that results have the same bits
/// on every run. Sums over several blocks take two launches: each block writes its sum, and
/// sum_partials() adds these up.
///
///   partial sums:   double sum = 0;  for (…) sum += x[i];
///                   sum = block_sum(sum);
///                   if (threadIdx.x == 0) partials[result * blocks + block] = sum;
///   then:           sum_partials("sum", partials, results, blocks, ToScalar<float>{}, y);
///
/// All threads of the warp or the block must call these functions; blocks are one-dimensional, of
/// whole warps. Results are right in lane 0 or thread 0 alone.
namespace pade::cuda {

inline constexpr unsigned kAllLanes = 0xffffffff;
__device__ __forceinline__ int warps_of_block() { return static_cast<int>(blockDim.x) / kWarpSize; }

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

/// combine(a, b) gives one T of two.
template <class T, class Combine>
__device__ __forceinline__ T warp_reduce(T value, const Combine& combine) {
#pragma unroll
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2)
    value = combine(value, shuffle_down(value, distance));
  return value;
}

/// The same over a block, whose other lanes' combine() must have `identity` as its neutral element.
template <class T, class Combine>
__device__ __forceinline__ T block_reduce(T value, const T& identity, const Combine& combine) {
  PADE_SHARED(T, of_warp, [kWarpSize]);
  const int warp = threadIdx.x / kWarpSize, lane = threadIdx.x % kWarpSize;
  value = warp_reduce(value, combine);
  __syncthreads();  // an earlier call's values have been read
  if (lane == 0) of_warp[warp] = value;
  __syncthreads();
  if (warp > 0) return value;
  return warp_reduce(lane < warps_of_block() ? of_warp[lane] : identity, combine);
}

struct Plus {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};

template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  return warp_reduce(value, Plus{});
}
template <class T>
__device__ __forceinline__ T block_sum(T value) {
  return block_reduce(value, T(0), Plus{});
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
    total = by_warp ? warp_reduce(total, combine) : block_reduce(total, identity, combine);
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
  launch(op, {blocks_for(results * lanes)}, combine_partials_kernel<T, Combine, Finish>, partials,
         results, count, lanes, identity, combine, finish);
}

/// The sum itself, as what it is stored in.
template <class Out>
struct ToScalar {
  template <class T>
  PADE_HD Out operator()(T sum) const {
    return static_cast<Out>(sum);
  }
};

template <class Finish, class Out>
struct StoreFinished {
  Finish finish;
  Out* out;
  template <class T>
  __device__ __forceinline__ void operator()(int64_t i, T sum) const {
    out[i] = finish(sum);
  }
};

/// The second pass of sums: out[i] = finish(Σ_k partials[i · count + k]), with `finish` a plain
/// struct with a PADE_HD operator().
template <class T, class Finish, class Out>
void sum_partials(const char* op, const T* partials, int64_t results, int64_t count, Finish finish,
                  Out* out) {
  combine_partials(op, partials, results, count, T(0), Plus{},
                   StoreFinished<Finish, Out>{finish, out});
}

}  // namespace pade::cuda
