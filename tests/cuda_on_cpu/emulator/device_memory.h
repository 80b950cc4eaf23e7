#pragma once

#include <cuda_runtime.h>

#include "shadow.h"

namespace emu {

/// What one cudaMalloc gave. It has pages of its own between pages that nobody may touch, and its
/// addresses are never used again: long overruns and uses after cudaFree fault in every build.
struct Allocation {
  char* begin;
  size_t bytes;
  uint64_t number;  ///< counted over the program
  Place place;      ///< of the cudaMalloc
  Shadows shadows;
  char* pages;
  size_t page_bytes;
  Allocation* next_open = nullptr;
  bool is_open = false;

  bool has(const void* address, size_t count) const {
    const char* byte = static_cast<const char*>(address);
    return byte >= begin && byte + count <= begin + bytes;
  }
  size_t offset_of(const void* address) const {
    return static_cast<size_t>(static_cast<const char*>(address) - begin);
  }
};

/// The one on whose pages an address lies; nullptr for all that is not device memory.
Allocation* allocation_of(const void* address);
/// Whether an address is, was or may become one of the device's.
bool is_device_address(const void* address);
/// Frees at once what cudaMalloc gave.
cudaError_t release(void* address);
/// Page-locked memory of the host.
bool is_pinned(const void* address);

/// While one of these lives, the device works: its memory may be touched. At other times that is
/// SIGSEGV, unless settings().guard is off. Pages are opened by their first use, and closed in the
/// end.
class DeviceWorks {
 public:
  DeviceWorks();
  ~DeviceWorks();
  DeviceWorks(const DeviceWorks&) = delete;
  DeviceWorks& operator=(const DeviceWorks&) = delete;
};
/// Opens them before the first use: for code that runs in threads of its own.
void open_pages(Allocation&);

}  // namespace emu
