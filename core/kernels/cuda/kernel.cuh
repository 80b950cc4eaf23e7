#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include <pade/core/kernels/math/host_device.h>
#include <pade/core/parallel.h>

/// What kernels are written with, and how they are launched. Beside tf32.cuh, and the name of a
/// library in blas.cu, only here does nvcc's build differ from the emulation on the CPU
/// (tests/cuda_on_cpu), where the same sources are C++.
///
/// A kernel uses no `<<<>>>`, no `extern __shared__` and no floating-point atomics, and its name
/// ends in _kernel: the tests look for kernels that no test has launched.

#ifndef PADE_CUDA_EMULATED
/// An array in shared memory: PADE_SHARED(float, tile, [16][17]);
#define PADE_SHARED(T, name, ...) __shared__ T name __VA_ARGS__
#endif

namespace pade::cuda {

#ifdef PADE_CUDA_EMULATED
using ::emu::load;
using ::emu::store;
#else
/// One access, of up to 16 bytes; the address must be a multiple of their number.
template <class Word>
__device__ __forceinline__ Word load(const Word* from) {
  return *from;
}
template <class Word>
__device__ __forceinline__ void store(Word* to, const Word& word) {
  *to = word;
}
#endif

/// As many scalars as one access of 16 bytes moves.
template <class T>
inline constexpr int kPackSize = 16 / static_cast<int>(sizeof(T));
/// Neighbours in memory, moved by one access.
template <class T, int kCount = kPackSize<T>>
struct alignas(kCount * sizeof(T)) Pack {
  T values[kCount];
};

template <int kCount, class T>
__device__ __forceinline__ Pack<T, kCount> load_pack(const T* from) {
  return load(reinterpret_cast<const Pack<T, kCount>*>(from));
}
template <class T, int kCount>
__device__ __forceinline__ void store_pack(T* to, const Pack<T, kCount>& pack) {
  store(reinterpret_cast<Pack<T, kCount>*>(to), pack);
}

/// The first `count` elements at `from`, and zeros behind them: in one access where there are
/// enough and they are `packed`, that is aligned.
template <int kCount, class T, class Integer>
__device__ __forceinline__ Pack<T, kCount> load_up_to(const T* from, Integer count, bool packed) {
  if (packed && count >= kCount) return load_pack<kCount>(from);
  Pack<T, kCount> pack;
#pragma unroll
  for (int i = 0; i < kCount; ++i) pack.values[i] = i < count ? from[i] : T{0};
  return pack;
}
template <class T, int kCount, class Integer>
__device__ __forceinline__ void store_up_to(T* to, Integer count, bool packed,
                                            const Pack<T, kCount>& pack) {
  if (packed && count >= kCount) return store_pack(to, pack);
#pragma unroll
  for (int i = 0; i < kCount; ++i)
    if (i < count) to[i] = pack.values[i];
}

/// use(i, load(i)) for every step-th i from `begin` on, with four loads on their way at a time.
template <class Load, class Use>
__device__ __forceinline__ void load_ahead(uint32_t begin, uint32_t end, uint32_t step,
                                           const Load& load, const Use& use) {
  constexpr uint32_t kBatch = 4;
  uint32_t i = begin;
  for (; i + (kBatch - 1) * step < end; i += kBatch * step) {
    decltype(load(i)) values[kBatch];
#pragma unroll
    for (uint32_t k = 0; k < kBatch; ++k) values[k] = load(i + k * step);
#pragma unroll
    for (uint32_t k = 0; k < kBatch; ++k) use(i + k * step, values[k]);
  }
  for (; i < end; i += step) use(i, load(i));
}

inline bool is_aligned(const void* address, size_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % bytes == 0;
}
/// Whether packs of 16 bytes may be used for what begins here: a view can begin anywhere.
template <class... T>
bool is_pack_aligned(const T*... addresses) {
  return (is_aligned(addresses, 16) && ...);
}

inline constexpr int kThreads = 256;  ///< of a block
inline constexpr int kWarpSize = 32;
/// Of a grid whose threads loop. Fixed, so that sums do not depend on the GPU: 8 for each of the
/// 132 multiprocessors of an H100.
inline constexpr int64_t kMaxBlocks = 1056;

/// The number of this thread in the grid, and of threads in it, along x: for loops
///   for (int64_t i = first_index(); i < n; i += index_step())
__device__ __forceinline__ int64_t first_index() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ int64_t index_step() {
  return static_cast<int64_t>(gridDim.x) * blockDim.x;
}

/// Blocks for a loop over n indices: one thread each, or as many as there may be.
inline unsigned blocks_for(int64_t n, int64_t threads = kThreads) {
  return static_cast<unsigned>(std::min(blocks_of(n, threads), kMaxBlocks));
}

/// The stream on which all work is done. Throws Error without a GPU.
cudaStream_t stream();
/// Throws an Error that begins with `what` unless `status` is success.
void check_cuda(cudaError_t status, const char* what);

/// kernel<<<grid, kThreads, 0, stream()>>>(arguments…), checked. `op` is for the error's message.
/// An empty grid is not launched.
///
///   launch("relu", blocks_for(n), relu_kernel<float>, x, y, n);
template <class... Parameters, class... Arguments>
void launch(const char* op, dim3 grid, void (*kernel)(Parameters...), Arguments&&... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = kThreads;
  config.stream = stream();
  check_cuda(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), op);
}

}  // namespace pade::cuda
