#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/storage.h>

namespace pade {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kAddressable = size_t{1} << 47;

/// Block sizes are 64 bytes times 8, 9, … 15 times a power of two: at most 1/8 is wasted, and
/// requests of nearly the same size share blocks. Zero when the request is beyond what a process
/// can address.
size_t block_size(size_t bytes) {
  if (bytes <= 8 * kAlignment)
    return std::max((bytes + kAlignment - 1) / kAlignment, size_t{1}) * kAlignment;
  if (bytes > kAddressable) return 0;
  const size_t step = std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

/// Large blocks sit on huge pages where the system grants them: fewer page faults and TLB misses.
void* allocate_from_system(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block && alignment == kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

class CachingAllocator {
 public:
  std::byte* allocate(size_t bytes) {
    const size_t size = block_size(bytes);
    const std::lock_guard lock(mutex_);
    void* block = size ? take_cached(size) : nullptr;
    if (!block && size) {
      block = allocate_from_system(size);
      if (!block) {
        release_cached_blocks();
        block = allocate_from_system(size);
      }
      if (block) ++stats_.system_allocations;
    }
    check(block != nullptr, "out of memory: ", bytes, " bytes were asked for, ",
          stats_.bytes_in_use, " are in use");
    stats_.bytes_in_use += size;
    stats_.peak_bytes_in_use = std::max(stats_.peak_bytes_in_use, stats_.bytes_in_use);
    return static_cast<std::byte*>(block);
  }

  void free(std::byte* block, size_t bytes) {
    const size_t size = block_size(bytes);
    const std::lock_guard lock(mutex_);
    cache_[size].push_back(block);
    stats_.bytes_in_use -= size;
    stats_.bytes_cached += size;
  }

  void release_cached() {
    const std::lock_guard lock(mutex_);
    release_cached_blocks();
  }

  AllocatorStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  void* take_cached(size_t size) {
    const auto blocks = cache_.find(size);
    if (blocks == cache_.end() || blocks->second.empty()) return nullptr;
    void* block = blocks->second.back();
    blocks->second.pop_back();
    stats_.bytes_cached -= size;
    return block;
  }

  void release_cached_blocks() {
    for (auto& [size, blocks] : cache_) {
      for (void* block : blocks) std::free(block);
      blocks.clear();
    }
    stats_.bytes_cached = 0;
  }

  std::mutex mutex_;
  std::unordered_map<size_t, std::vector<void*>> cache_;  // block size → free blocks
  AllocatorStats stats_;
};

/// Never destroyed: tensors with static lifetime may outlive every other object.
CachingAllocator& allocator() {
  static CachingAllocator& instance = *new CachingAllocator;
  return instance;
}

std::atomic<bool> poison{false};

}  // namespace

Storage::Storage(size_t bytes, Device device) : bytes_(bytes), device_(device) {
  require_available(device);
  data_ = allocator().allocate(bytes);
  if (poison.load(std::memory_order_relaxed)) std::memset(data_, 0xFF, bytes);
}

Storage::~Storage() { allocator().free(data_, bytes_); }

AllocatorStats allocator_stats() { return allocator().stats(); }

void poison_new_storage(bool on) { poison = on; }

void release_cached_memory() { allocator().release_cached(); }

}  // namespace pade
