#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <pade/core/device.h>

namespace pade {

class Shape;

/// Bytes on one device, from a caching allocator, 64-byte aligned and not initialised. Tensors
/// share it by reference count; views of one storage share its version. On Device::cuda, data() is
/// an address of the GPU's memory, which the host must not follow.
///
/// Several threads may read one storage. A change in place may go on beside changes of other bytes,
/// but not beside anyone who reads the bytes that change.
class Storage {
 public:
  /// Throws Error when there is not enough memory: with the shape of the tensor that it is for,
  /// where that is given.
  Storage(size_t bytes, Device device, const Shape* shape = nullptr);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

  /// Counts the changes made in place. A tape compares it with what it was when it saved a tensor.
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
  Device device_;
  std::atomic<uint32_t> version_{0};
};

/// What the allocator behind a device's storages holds. Freed blocks are kept for reuse, so after
/// one training step `system_allocations` stops growing. Where the environment has
/// PADE_NO_CUDA_CACHE, the GPU's are not kept, and have exactly the bytes asked for: memory
/// checkers see more then.
struct AllocatorStats {
  size_t bytes_in_use = 0;          ///< in live storages, rounded up to block sizes
  size_t bytes_cached = 0;          ///< freed, kept for reuse
  size_t peak_bytes_in_use = 0;     ///< the largest bytes_in_use since the start or the last reset
  uint64_t system_allocations = 0;  ///< blocks asked of the system since the start
};
AllocatorStats allocator_stats(Device device = Device::cpu);
/// Lets peak_bytes_in_use begin again at what is in use now.
void reset_peak_bytes_in_use(Device device = Device::cpu);

/// For tests: while on, new storages are filled with 0xFF bytes (NaN as floats), so that an element
/// that a kernel forgets to write is noticed.
void poison_new_storage(bool on);

/// Gives all cached blocks back to the system.
void release_cached_memory();

}  // namespace pade
