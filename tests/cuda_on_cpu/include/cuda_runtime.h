// Test-only stand-in for NVIDIA's <cuda_runtime.h>: the same .cu sources, compiled as C++20 by
// g++/clang++, run on the CPU with one fiber per CUDA thread.  Never installed, never seen by nvcc.
#pragma once
#ifdef __CUDACC__
#error "the emulation header must not be on nvcc's include path"
#endif
#define PADE_CUDA_EMULATED 1

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

namespace emu {
#if defined(__cpp_lib_source_location)
using Loc =
    std::source_location;  // g++: with the column, which tells two barriers of one line apart
#else
struct Loc {  // clang 14 and others without it
  const char* f = "";
  unsigned l = 0;
  static constexpr Loc current(const char* f = __builtin_FILE(), unsigned l = __builtin_LINE()) {
    return {f, l};
  }
  constexpr const char* file_name() const { return f; }
  constexpr unsigned line() const { return l; }
  constexpr unsigned column() const { return 0; }
};
#endif
}  // namespace emu
// ---------------------------------------------------------------- qualifiers
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ \
  static  // plain static shared arrays; FW_SHARED (gpu_compat.cuh) is checked better
#define __constant__ static
#define __align__(n) alignas(n)
// __restrict__ is a g++ keyword already.

// ---------------------------------------------------------------- vector types

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
#define EMU_VEC(T, N)                                                    \
  struct alignas(2 * sizeof(T)) N##2 {                                   \
    T x, y;                                                              \
  };                                                                     \
  struct N##3 {                                                          \
    T x, y, z;                                                           \
  };                                                                     \
  struct alignas(4 * sizeof(T) > 16 ? 16 : 4 * sizeof(T)) N##4 {         \
    T x, y, z, w;                                                        \
  };                                                                     \
  inline constexpr N##2 make_##N##2(T a, T b) { return {a, b}; }         \
  inline constexpr N##3 make_##N##3(T a, T b, T c) { return {a, b, c}; } \
  inline constexpr N##4 make_##N##4(T a, T b, T c, T d) { return {a, b, c, d}; }
EMU_VEC(float, float)
EMU_VEC(int, int)
EMU_VEC(double, double)
EMU_VEC(unsigned, uint)
#undef EMU_VEC

// ---------------------------------------------------------------- errors, enums
enum cudaError_t : int {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidMemcpyDirection = 21,
  cudaErrorInvalidDevicePointer = 17,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorNotReady = 600,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};
enum { cudaStreamDefault = 0, cudaStreamNonBlocking = 1 };
enum { cudaEventDefault = 0, cudaEventDisableTiming = 2 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
const char* cudaGetErrorName(cudaError_t);
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

namespace emu {
struct Stream;
struct Event;
}  // namespace emu
using cudaStream_t = emu::Stream*;
using cudaEvent_t = emu::Event*;

struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  size_t sharedMemPerBlock;
  size_t sharedMemPerBlockOptin;
  int regsPerBlock, warpSize, maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3];
  int major, minor, multiProcessorCount, l2CacheSize, maxThreadsPerMultiProcessor;
};
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaSetDevice(int);
cudaError_t cudaGetDevice(int*);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int);
cudaError_t cudaDeviceGetAttribute(int*, cudaDeviceAttr, int);
cudaError_t cudaDriverGetVersion(int*);
cudaError_t cudaRuntimeGetVersion(int*);
cudaError_t cudaMemGetInfo(size_t*, size_t*);
cudaError_t cudaDeviceSynchronize();

// ---------------------------------------------------------------- memory
namespace emu {
cudaError_t malloc_(void**, size_t, emu::Loc);
cudaError_t malloc_host(void**, size_t);
cudaError_t memcpy_async(void*, const void*, size_t, cudaMemcpyKind, cudaStream_t, bool sync,
                         emu::Loc);
cudaError_t memset_async(void*, int, size_t, cudaStream_t, bool sync, emu::Loc);
}  // namespace emu
#define EMU_LOC emu::Loc loc = emu::Loc::current()
template <class T>
cudaError_t cudaMalloc(T** p, size_t n, EMU_LOC) {
  return emu::malloc_(reinterpret_cast<void**>(p), n, loc);
}
template <class T>
cudaError_t cudaMallocAsync(T** p, size_t n, cudaStream_t, EMU_LOC) {
  return emu::malloc_(reinterpret_cast<void**>(p), n, loc);
}
template <class T>
cudaError_t cudaMallocHost(T** p, size_t n, unsigned = 0) {
  return emu::malloc_host(reinterpret_cast<void**>(p), n);
}
cudaError_t cudaFree(void*);
cudaError_t cudaFreeAsync(void*, cudaStream_t);
cudaError_t cudaFreeHost(void*);
inline cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind k, EMU_LOC) {
  return emu::memcpy_async(d, s, n, k, nullptr, true, loc);
}
inline cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k,
                                   cudaStream_t st = nullptr, EMU_LOC) {
  return emu::memcpy_async(d, s, n, k, st, false, loc);
}
inline cudaError_t cudaMemset(void* d, int v, size_t n, EMU_LOC) {
  return emu::memset_async(d, v, n, nullptr, true, loc);
}
inline cudaError_t cudaMemsetAsync(void* d, int v, size_t n, cudaStream_t st = nullptr, EMU_LOC) {
  return emu::memset_async(d, v, n, st, false, loc);
}

// ---------------------------------------------------------------- streams, events
cudaError_t cudaStreamCreate(cudaStream_t*);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamQuery(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned = 0);
cudaError_t cudaEventCreate(cudaEvent_t*);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaEventQuery(cudaEvent_t);
cudaError_t cudaEventElapsedTime(float*, cudaEvent_t, cudaEvent_t);

// ---------------------------------------------------------------- launch
struct cudaLaunchAttribute {
  int id;
  int val;
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};
namespace emu {
struct LaunchDesc {
  dim3 grid, block;
  size_t smem;
  cudaStream_t stream;
  const void* fn;
};
using Invoke = void (*)(const void* fn, const void* args);
cudaError_t launch(const LaunchDesc&, Invoke, std::shared_ptr<void> args, size_t args_bytes,
                   const void* const* ptr_args, const int* ptr_index, int n_ptr);
cudaError_t set_max_smem(const void* fn, int bytes);
}  // namespace emu
template <class... E, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* c, void (*kernel)(E...), A&&... a) {
  static_assert(sizeof...(E) == sizeof...(A), "argument count differs from the kernel's");
  static_assert((std::is_trivially_copyable_v<E> && ...),
                "kernel arguments must be trivially copyable");
  using Tup = std::tuple<E...>;
  auto args = std::make_shared<Tup>(static_cast<E>(std::forward<A>(a))...);
  const void* ptrs[sizeof...(E) + 1] = {};
  int idx[sizeof...(E) + 1] = {};
  int n = 0, i = 0;
  std::apply(
      [&](const auto&... v) {
        (
            [&] {
              if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(v)>>) {
                ptrs[n] = v;
                idx[n++] = i;
              }
              ++i;
            }(),
            ...);
      },
      *args);
  auto inv = [](const void* fn, const void* p) {
    std::apply(reinterpret_cast<void (*)(E...)>(const_cast<void*>(fn)),
               *static_cast<const Tup*>(p));
  };
  return emu::launch({c->gridDim, c->blockDim, c->dynamicSmemBytes, c->stream,
                      reinterpret_cast<const void*>(kernel)},
                     inv, args, sizeof(Tup), ptrs, idx, n);
}
template <class K>
cudaError_t cudaFuncSetAttribute(K* k, cudaFuncAttribute, int v) {
  return emu::set_max_smem(reinterpret_cast<const void*>(k), v);
}

// ---------------------------------------------------------------- device side: indices
namespace emu {
struct Idx {
  uint3 tid, bid;
  dim3 bdim, gdim;
};
extern Idx cur;
}  // namespace emu
// References, not macros: cudaLaunchConfig_t has members called gridDim and blockDim.
inline const uint3& threadIdx = ::emu::cur.tid;
inline const uint3& blockIdx = ::emu::cur.bid;
inline const dim3& blockDim = ::emu::cur.bdim;
inline const dim3& gridDim = ::emu::cur.gdim;
inline constexpr int warpSize = 32;

// ---------------------------------------------------------------- device side: synchronisation
namespace emu {
enum class Coll : uint8_t { sync, shfl, ballot, any, all, mma };
void block_sync(emu::Loc);
int block_sync_pred(int pred, int op, emu::Loc);
struct WarpView {
  const void* val[32];
  uint32_t arrived;
  unsigned lane;
};
// waits for the lanes of mask; the returned view is valid until this lane's next collective
const WarpView& warp_collect(unsigned mask, Coll, const void* v, size_t n, emu::Loc);
void access(const void* p, size_t n, bool write, bool atomic, const void* pc);
[[noreturn]] void device_fail(const char* what, emu::Loc);
void* shared_slot(const void* key, size_t bytes, size_t align);
void* shared_dyn();
void fence();
}  // namespace emu
inline void __syncthreads(EMU_LOC) { emu::block_sync(loc); }
inline int __syncthreads_count(int p, EMU_LOC) { return emu::block_sync_pred(p, 0, loc); }
inline int __syncthreads_and(int p, EMU_LOC) { return emu::block_sync_pred(p, 1, loc); }
inline int __syncthreads_or(int p, EMU_LOC) { return emu::block_sync_pred(p, 2, loc); }
inline void __syncwarp(unsigned m = 0xffffffffu, EMU_LOC) {
  emu::warp_collect(m, emu::Coll::sync, nullptr, 0, loc);
}
inline void __threadfence() { emu::fence(); }
inline void __threadfence_block() {}
namespace emu {
// Out of line: the instrumented files must not themselves read the emulator's memory.
void shfl_raw(unsigned mask, void* v, size_t n, int src, bool in, emu::Loc);
unsigned ballot_raw(unsigned mask, int pred, emu::Loc);
template <class T>
T shfl(unsigned m, T v, int src, bool in, emu::Loc loc) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  shfl_raw(m, &v, sizeof(T), src, in, loc);
  return v;
}
unsigned lane();
}  // namespace emu
template <class T>
T __shfl_sync(unsigned m, T v, int s, int width = 32, EMU_LOC) {
  int l = emu::lane(), b = l & ~(width - 1);
  return emu::shfl(m, v, b + (s & (width - 1)), true, loc);
}
template <class T>
T __shfl_down_sync(unsigned m, T v, unsigned d, int width = 32, EMU_LOC) {
  int l = emu::lane(), s = l + int(d);
  return emu::shfl(m, v, s, (l & (width - 1)) + int(d) < width, loc);
}
template <class T>
T __shfl_up_sync(unsigned m, T v, unsigned d, int width = 32, EMU_LOC) {
  int l = emu::lane();
  return emu::shfl(m, v, l - int(d), (l & (width - 1)) - int(d) >= 0, loc);
}
template <class T>
T __shfl_xor_sync(unsigned m, T v, int x, int width = 32, EMU_LOC) {
  int l = emu::lane(), s = l ^ x;
  return emu::shfl(m, v, s, (s & ~(width - 1)) <= (l & ~(width - 1)) && s < 32, loc);
}
inline unsigned __ballot_sync(unsigned m, int p, EMU_LOC) { return emu::ballot_raw(m, p, loc); }
inline int __any_sync(unsigned m, int p, EMU_LOC) { return emu::ballot_raw(m, p, loc) != 0; }
inline int __all_sync(unsigned m, int p, EMU_LOC) { return emu::ballot_raw(m, !p, loc) == 0; }
inline unsigned __activemask() { return 1u << emu::lane(); }  // legal worst case: never rely on it

// ---------------------------------------------------------------- device side: atomics (out of
// line, hence never instrumented)
float atomicAdd(float*, float);
double atomicAdd(double*, double);
int atomicAdd(int*, int);
unsigned atomicAdd(unsigned*, unsigned);
unsigned long long atomicAdd(unsigned long long*, unsigned long long);
int atomicMax(int*, int);
int atomicMin(int*, int);
unsigned atomicInc(unsigned*, unsigned);
int atomicCAS(int*, int, int);
unsigned atomicCAS(unsigned*, unsigned, unsigned);
int atomicExch(int*, int);

// ---------------------------------------------------------------- device side: cached / vector
// loads
namespace emu {
template <class T>
[[gnu::noinline, gnu::no_sanitize_thread]] T vload(const T* p) {
  access(p, sizeof(T), false, false, __builtin_return_address(0));
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
[[gnu::noinline, gnu::no_sanitize_thread]] void vstore(T* p, T v) {
  access(p, sizeof(T), true, false, __builtin_return_address(0));
  std::memcpy(p, &v, sizeof v);
}
}  // namespace emu
template <class T>
inline T __ldg(const T* p) {
  return emu::vload(p);
}
template <class T>
inline T __ldcs(const T* p) {
  return emu::vload(p);
}
template <class T>
inline T __ldcg(const T* p) {
  return emu::vload(p);
}
template <class T>
inline void __stcs(T* p, T v) {
  emu::vstore(p, v);
}
template <class T>
inline void __stcg(T* p, T v) {
  emu::vstore(p, v);
}

// ---------------------------------------------------------------- device side: maths
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __frsqrt_rn(float x) { return 1.0f / std::sqrt(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __saturatef(float x) { return x < 0.f ? 0.f : x > 1.f ? 1.f : x; }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(unsigned(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
using std::max;
using std::min;
#undef EMU_LOC
