#pragma once

#include <emu/host_api.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

/// What kernels use: qualifiers, indices, barriers, shuffles, atomics. Functions that read what
/// belongs to the emulation are out of line, in files that are compiled without checks of accesses.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__

struct uint3 {
  unsigned x, y, z;
};

namespace emu {
struct Indices {
  uint3 thread, block;
  dim3 block_size, grid_size;
};
/// Of the thread that runs.
extern Indices indices;
}  // namespace emu

// References, not macros: cudaLaunchConfig_t has members with two of these names.
inline const uint3& threadIdx = emu::indices.thread;
inline const uint3& blockIdx = emu::indices.block;
inline const dim3& blockDim = emu::indices.block_size;
inline const dim3& gridDim = emu::indices.grid_size;

using std::max;
using std::min;
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }

namespace emu {

// --- memory

/// Shared memory of the block that runs, one array for each key.
void* shared_array(const void* key, size_t bytes, size_t alignment);

#define PADE_SHARED(T, name, ...)                                     \
  using name##_shared_type = T __VA_ARGS__;                           \
  static char name##_shared_key;                                      \
  auto& name = *static_cast<name##_shared_type*>(::emu::shared_array( \
      &name##_shared_key, sizeof(name##_shared_type), alignof(name##_shared_type)))

/// Looks at an access of the thread that runs; `caller` is a return address in the kernel.
void check_access(const void* address, size_t bytes, bool writes, bool atomic, const void* caller);

/// One access of sizeof(T), which the compiler does not split.
template <class T>
[[gnu::noinline, gnu::no_sanitize_thread]] T load(const T* from) {
  check_access(from, sizeof(T), false, false, __builtin_return_address(0));
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
[[gnu::noinline, gnu::no_sanitize_thread]] void store(T* to, T value) {
  check_access(to, sizeof(T), true, false, __builtin_return_address(0));
  std::memcpy(to, &value, sizeof value);
}

// --- barriers

void block_barrier(Place);

enum class Collective : uint8_t { barrier, shuffle, matrix_product };

/// What the lanes of a warp brought to where they met.
struct Gathered {
  alignas(8) char values[32][8];
  uint32_t lanes;  ///< a bit for each that was there
};
/// Waits for all lanes of the warp, each of which brings a value of at most 8 bytes. What is given
/// back holds until the calling lane's next meeting.
const Gathered& meet_warp(unsigned mask, Collective, const void* value, size_t bytes, Place);

/// The calling thread's lane in its warp.
unsigned lane();

/// Puts the lane `source`'s value in the place of `value`; poison (0xff…) when that lane is not
/// there.
void shuffle(unsigned mask, void* value, size_t bytes, unsigned source, Place);

}  // namespace emu

inline void __syncthreads(emu::Place place = emu::Place::current()) { emu::block_barrier(place); }
inline void __syncwarp(unsigned mask = 0xffffffffu, emu::Place place = emu::Place::current()) {
  emu::meet_warp(mask, emu::Collective::barrier, nullptr, 0, place);
}

/// The value of the lane `source`.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, emu::Place place = emu::Place::current()) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  emu::shuffle(mask, &value, sizeof(T), static_cast<unsigned>(source), place);
  return value;
}

/// The value of the lane `distance` further on; the own one where the warp ends before.
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance,
                   emu::Place place = emu::Place::current()) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const unsigned lane = emu::lane();
  emu::shuffle(mask, &value, sizeof(T), lane + distance < 32 ? lane + distance : lane, place);
  return value;
}

namespace emu {

// --- tensor cores, as core/kernels/cuda/tf32.cuh has them

/// Rounded to TF32, ties away from zero.
inline float to_tf32(float x) {
  const unsigned bits = __float_as_uint(x);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return finite ? __uint_as_float((bits + 0x1000u) & ~0x1fffu) : x;
}

[[gnu::noinline, gnu::no_sanitize_thread]] inline void multiply_tf32(
    float (&d)[4], const float (&a)[4], const float (&b)[2], Place place = Place::current()) {
  struct Factors {
    const float *a, *b;
  } mine{a, b};
  const Factors* of[32] = {&mine};
  const Gathered& warp = meet_warp(~0u, Collective::matrix_product, &of[0], sizeof of[0], place);
  std::memcpy(of, warp.values, sizeof of);
  const int g = static_cast<int>(lane()) / 4, t = static_cast<int>(lane()) % 4;
  float sums[4];
  for (int i = 0; i < 4; ++i) {
    const int row = g + i / 2 * 8, column = 2 * t + i % 2;
    sums[i] = d[i];
    for (int k = 0; k < 8; ++k)
      sums[i] += of[row % 8 * 4 + k % 4]->a[row / 8 + k / 4 * 2] * of[column * 4 + k % 4]->b[k / 4];
  }
  meet_warp(~0u, Collective::barrier, nullptr, 0, place);  // all have read
  for (int i = 0; i < 4; ++i) d[i] = sums[i];
}

}  // namespace emu

int atomicAdd(int*, int);
float atomicAdd(float*, float);
