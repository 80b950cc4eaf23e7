#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include <pade/core/kernels/math/host_device.h>

/// What kernels are written with, and how they are launched. Beside tf32.cuh, and the name of a
/// library in blas.cu, only here does nvcc's build differ from the emulation on the CPU
/// (tests/cuda_on_cpu), where the same sources are C++.
///
/// A kernel uses no `<<<>>>`, no `extern __shared__` and no floating-point atomics, and its name
/// ends in _kernel: the tests look for kernels that no test has launched.

/// An array in shared memory: PADE_SHARED(float, tile, [16][17]);
#ifdef PADE_CUDA_EMULATED
#define PADE_SHARED(T, name, ...)                                     \
  using name##_shared_type = T __VA_ARGS__;                           \
  static char name##_shared_key;                                      \
  auto& name = *static_cast<name##_shared_type*>(::emu::shared_array( \
      &name##_shared_key, sizeof(name##_shared_type), alignof(name##_shared_type)))
#else
#define PADE_SHARED(T, name, ...) __shared__ T name __VA_ARGS__
#endif

namespace pade::cuda {

/// As many scalars as one access of 16 bytes moves.
template <class T>
inline constexpr int kPackSize = 16 / static_cast<int>(sizeof(T));
template <class T>
struct alignas(16) Pack {
  T values[kPackSize<T>];
};

/// One access of 16 bytes; the address must be a multiple of that.
#ifdef PADE_CUDA_EMULATED
template <class T>
Pack<T> load_pack(const T* from) {
  return ::emu::load(reinterpret_cast<const Pack<T>*>(from));
}
template <class T>
void store_pack(T* to, const Pack<T>& pack) {
  ::emu::store(reinterpret_cast<Pack<T>*>(to), pack);
}
#else
template <class T>
__device__ __forceinline__ Pack<T> load_pack(const T* from) {
  const int4 bits = *reinterpret_cast<const int4*>(from);
  return reinterpret_cast<const Pack<T>&>(bits);
}
template <class T>
__device__ __forceinline__ void store_pack(T* to, const Pack<T>& pack) {
  *reinterpret_cast<int4*>(to) = reinterpret_cast<const int4&>(pack);
}
#endif

/// The first `count` elements at `from`, and zeros behind them: in one access where there are
/// enough and they are `packed`, that is aligned.
template <class T, class Integer>
__device__ __forceinline__ Pack<T> load_up_to(const T* from, Integer count, bool packed) {
  if (packed && count >= kPackSize<T>) return load_pack(from);
  Pack<T> pack;
#pragma unroll
  for (int i = 0; i < kPackSize<T>; ++i) pack.values[i] = i < count ? from[i] : T{0};
  return pack;
}

template <class T, class Integer>
__device__ __forceinline__ void store_up_to(T* to, Integer count, bool packed,
                                            const Pack<T>& pack) {
  if (packed && count >= kPackSize<T>) return store_pack(to, pack);
#pragma unroll
  for (int i = 0; i < kPackSize<T>; ++i)
    if (i < count) to[i] = pack.values[i];
}

/// Whether packs may be used for what begins here: a view can begin anywhere.
inline bool is_pack_aligned(const void* address) {
  return reinterpret_cast<uintptr_t>(address) % 16 == 0;
}

inline constexpr int kThreads = 256;  ///< of a block, where nothing speaks for another number
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
  const int64_t blocks = (n + threads - 1) / threads;
  return static_cast<unsigned>(blocks < kMaxBlocks ? blocks : kMaxBlocks);
}

/// The stream on which all work is done. Throws Error without a GPU.
cudaStream_t stream();
/// Throws an Error that begins with `what` unless `status` is success.
void check_cuda(cudaError_t status, const char* what);

struct LaunchShape {
  dim3 grid, block = kThreads;
};

/// kernel<<<grid, block, 0, stream()>>>(arguments…), checked. `op` is for the error's
/// message. An empty grid is not launched.
///
///   launch("relu", {blocks_for(n)}, relu_kernel<float>, x, y, n);
template <class... Parameters, class... Arguments>
void launch(const char* op, const LaunchShape& shape, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.stream = stream();
  check_cuda(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), op);
}

}  // namespace pade::cuda
