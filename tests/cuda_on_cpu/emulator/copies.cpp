#include <algorithm>
#include <cstring>
#include <memory>

#include "device_memory.h"
#include "errors.h"
#include "streams.h"

/// cudaMemcpyAsync and cudaMemsetAsync.
namespace emu {
namespace {

constexpr const char* kKindNames[] = {"HostToHost", "HostToDevice", "DeviceToHost",
                                      "DeviceToDevice"};

/// One end of a copy.
struct End {
  const void* begin;
  size_t bytes;
  bool on_device;
  const char* role;
};

/// Reports an end that is not where the kind of copy has it.
cudaError_t check_end(const End& end, const std::string& call, const Place& place) {
  if (!end.on_device)
    return is_device_address(end.begin)
               ? report(cudaErrorInvalidMemcpyDirection,
                        call + ": the " + end.role + " is device memory" + at(place))
               : cudaSuccess;
  const Allocation* allocation = allocation_of(end.begin);
  if (allocation && allocation->has(end.begin, end.bytes)) return cudaSuccess;
  return report(cudaErrorInvalidValue,
                call + ": the " + end.role +
                    (allocation ? " range leaves its device allocation" : " is not device memory") +
                    at(place));
}

void set_all_initialized(const void* begin, size_t bytes) {
  Allocation& target = *allocation_of(begin);
  if (target.shadows.empty()) return;
  for (size_t i = 0; i < bytes; ++i)
    set_initialized(target.shadows, target.offset_of(begin) + i, true);
}

/// Carries over which bytes are initialized, from device memory to device memory.
void copy_initialization(const void* to, const void* from, size_t bytes) {
  Allocation& target = *allocation_of(to);
  if (target.shadows.empty()) return;
  const Allocation& source = *allocation_of(from);
  for (size_t i = 0; i < bytes; ++i)
    set_initialized(target.shadows, target.offset_of(to) + i,
                    is_initialized(source.shadows, source.offset_of(from) + i));
}

void check_initialized(const void* from, size_t bytes, const Place& place) {
  const Allocation& source = *allocation_of(from);
  if (source.shadows.empty()) return;
  for (size_t i = 0; i < bytes; ++i)
    if (!is_initialized(source.shadows, source.offset_of(from) + i)) {
      report(cudaErrorIllegalAddress, "cudaMemcpy DeviceToHost: byte " + std::to_string(i) +
                                          " of the source was never written" + at(place));
      return;
    }
}

}  // namespace
}  // namespace emu

using namespace emu;

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream, Place place) {
  if (lasting_error() != cudaSuccess) return lasting_error();
  if (bytes == 0) return cudaSuccess;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const std::string call = std::string("cudaMemcpy ") + kKindNames[kind];
  for (const End& end :
       {End{to, bytes, to_device, "destination"}, End{from, bytes, from_device, "source"}})
    if (const cudaError_t error = check_end(end, call, place); error != cudaSuccess) return error;

  std::shared_ptr<char[]> staged;  // memory that is not page-locked is read at the call
  if (!from_device && !is_pinned(from)) {
    staged.reset(new char[bytes]);
    std::memcpy(staged.get(), from, bytes);
  }
  enqueue(stream, [=] {
    if (from_device && !to_device) check_initialized(from, bytes, place);
    std::memmove(to, staged ? staged.get() : from, bytes);
    if (to_device && from_device) copy_initialization(to, from, bytes);
    if (to_device && !from_device) set_all_initialized(to, bytes);
  });
  if (kind == cudaMemcpyDeviceToHost && !is_pinned(to)) finish(stream);  // as on a GPU
  return lasting_error();
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream, Place place) {
  if (lasting_error() != cudaSuccess) return lasting_error();
  if (bytes == 0) return cudaSuccess;
  if (const cudaError_t error = check_end({to, bytes, true, "destination"}, "cudaMemset", place);
      error != cudaSuccess)
    return error;
  enqueue(stream, [=] {
    std::memset(to, value, bytes);
    set_all_initialized(to, bytes);
  });
  return cudaSuccess;
}
