#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

/// What host code calls: errors, memory, streams and launches. Names and values are CUDA's.

namespace emu {
/// Where in the kernels' sources something was called, with the column: that tells two barriers of
/// one line apart.
using Place = std::source_location;
struct Stream;
struct Event;
}  // namespace emu

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

// --- errors

enum cudaError_t : int {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidMemcpyDirection = 21,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNotReady = 600,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchFailure = 719
};
const char* cudaGetErrorName(cudaError_t);
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();

// --- the device

struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor;
};
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int device);
cudaError_t cudaDriverGetVersion(int*);
cudaError_t cudaRuntimeGetVersion(int*);

// --- streams and events

using cudaStream_t = emu::Stream*;
using cudaEvent_t = emu::Event*;
enum { cudaStreamNonBlocking = 1 };
enum { cudaEventDisableTiming = 2 };

cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned flags = 0);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = nullptr);
cudaError_t cudaEventQuery(cudaEvent_t);

// --- memory

enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice
};

namespace emu {
cudaError_t allocate(void** address, size_t bytes, Place);
cudaError_t allocate_pinned(void** address, size_t bytes);
}  // namespace emu

template <class T>
cudaError_t cudaMalloc(T** address, size_t bytes, emu::Place place = emu::Place::current()) {
  return emu::allocate(reinterpret_cast<void**>(address), bytes, place);
}
cudaError_t cudaFree(void*);
/// Page-locked memory of the host.
template <class T>
cudaError_t cudaMallocHost(T** address, size_t bytes) {
  return emu::allocate_pinned(reinterpret_cast<void**>(address), bytes);
}
cudaError_t cudaFreeHost(void*);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t = nullptr, emu::Place = emu::Place::current());
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t = nullptr,
                            emu::Place = emu::Place::current());

// --- launches

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  cudaStream_t stream = nullptr;
};

namespace emu {

/// A kernel with its arguments, copied as CUDA copies them.
struct Launch {
  dim3 grid, block;
  const void* kernel;
  std::shared_ptr<const void> arguments;  ///< a std::tuple of the kernel's parameters
  size_t argument_bytes;
  void (*call)(const void* kernel, const void* arguments);
};

/// Puts it on the stream. `pointers` holds each argument that is an address, and nullptr for the
/// others.
cudaError_t launch(const Launch&, cudaStream_t, const void* const* pointers, int argument_count);

template <class T>
const void* address_in(const T& argument) {
  if constexpr (std::is_pointer_v<T>)
    return argument;
  else
    return nullptr;
}

}  // namespace emu

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                "a kernel's arguments are copied byte by byte");
  using Copies = std::tuple<Parameters...>;
  const auto copies =
      std::make_shared<Copies>(static_cast<Parameters>(std::forward<Arguments>(arguments))...);
  const auto call = [](const void* function, const void* tuple) {
    std::apply(reinterpret_cast<void (*)(Parameters...)>(const_cast<void*>(function)),
               *static_cast<const Copies*>(tuple));
  };
  return std::apply(
      [&](const auto&... each) {
        const void* pointers[] = {emu::address_in(each)..., nullptr};
        return emu::launch({config->gridDim, config->blockDim,
                            reinterpret_cast<const void*>(kernel), copies, sizeof(Copies), call},
                           config->stream, pointers, sizeof...(Parameters));
      },
      *copies);
}
