#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <pade/core/device.h>
#include <pade/core/storage.h>

namespace pade {

/// Where a CachingAllocator gets its blocks from.
struct SystemMemory {
  Device device;
  void* (*allocate)(size_t bytes);  ///< null when there is not enough
  void (*free)(void* block);
  /// Whether freed blocks are kept, and sizes rounded up so that similar requests share them. Where
  /// not, every request is one of the system, of its exact size: tools that check bounds see more.
  bool cached = true;
};

/// Keeps freed blocks for the next request of their size. Blocks of the GPU can be used again at
/// once, although kernels that use them may be pending: all work is done in order.
class CachingAllocator {
 public:
  explicit CachingAllocator(const SystemMemory& system) : system_(system) {}

  /// Throws Error when there is not enough memory, with the shape that it is for where there is
  /// one.
  std::byte* allocate(size_t bytes, const Shape* shape = nullptr);
  void free(std::byte* block, size_t bytes);
  void release_cached();
  AllocatorStats stats();
  void reset_peak();

 private:
  size_t block_size(size_t bytes) const;
  void* take_cached(size_t size);
  void release_cached_blocks();

  const SystemMemory system_;
  std::mutex mutex_;
  std::unordered_map<size_t, std::vector<void*>> cache_;  // block size → free blocks
  AllocatorStats stats_;
};

}  // namespace pade
