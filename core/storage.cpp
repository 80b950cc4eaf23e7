#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include <pade/core/device_choice.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cuda/runtime.h>
#include <pade/core/shape.h>
#include <pade/core/storage.h>

namespace pade {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kAddressable = size_t{1} << 47;

/// Null where there is not enough. Large blocks sit on huge pages where the system grants them:
/// fewer page faults and TLB misses.
void* allocate_from_system(Device device, size_t bytes) {
  if (device == Device::cuda) {
    if constexpr (kHasCuda) return cuda::allocate_from_system(bytes);
    return nullptr;
  }
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block && alignment == kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

void free_to_system(Device device, void* block) {
  if (device == Device::cpu) return std::free(block);
  if constexpr (kHasCuda) cuda::free_to_system(block);
}

/// Keeps freed blocks for the next request of their size. Blocks of the GPU can be used again at
/// once, although kernels that use them may be pending: all work is done in order.
class CachingAllocator {
 public:
  CachingAllocator(Device device, bool caches) : device_(device), caches_(caches) {}

  std::byte* allocate(size_t bytes, const Shape* shape) {
    const size_t size = block_size(bytes);
    const std::lock_guard lock(mutex_);
    void* block = size == 0 ? nullptr : take(size);
    if (!block)
      fail("out of memory on ", device_, ": ", bytes, " bytes were asked for",
           shape ? ", for a tensor of shape " + to_string(*shape) : "", ", ", stats_.bytes_in_use,
           " are in use");
    stats_.bytes_in_use += size;
    stats_.peak_bytes_in_use = std::max(stats_.peak_bytes_in_use, stats_.bytes_in_use);
    return static_cast<std::byte*>(block);
  }

  void free(std::byte* block, size_t bytes) {
    const size_t size = block_size(bytes);
    const std::lock_guard lock(mutex_);
    stats_.bytes_in_use -= size;
    if (!caches_) return free_to_system(device_, block);
    try {
      cache_[size].push_back(block);
      stats_.bytes_cached += size;
    } catch (const std::bad_alloc&) {  // destructors call this
      free_to_system(device_, block);
    }
  }

  void release_cached() {
    const std::lock_guard lock(mutex_);
    release_blocks();
  }

  AllocatorStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    const std::lock_guard lock(mutex_);
    stats_.peak_bytes_in_use = stats_.bytes_in_use;
  }

 private:
  /// Cached sizes are 64 bytes times 8, 9, … 15 times a power of two: at most 1/8 is wasted, and
  /// requests of nearly the same size share blocks. Zero when the request is beyond what a process
  /// can address.
  size_t block_size(size_t bytes) const {
    if (bytes > kAddressable) return 0;
    if (!caches_) return std::max(bytes, size_t{1});
    if (bytes <= 8 * kAlignment)
      return std::max((bytes + kAlignment - 1) / kAlignment, size_t{1}) * kAlignment;
    const size_t step = std::bit_floor(bytes - 1) / 8;
    return (bytes + step - 1) / step * step;
  }

  void* take(size_t size) {
    const auto blocks = cache_.find(size);
    if (blocks != cache_.end() && !blocks->second.empty()) {
      void* block = blocks->second.back();
      blocks->second.pop_back();
      stats_.bytes_cached -= size;
      return block;
    }
    void* block = allocate_from_system(device_, size);
    if (!block) {
      release_blocks();
      block = allocate_from_system(device_, size);
    }
    if (block) ++stats_.system_allocations;
    return block;
  }

  void release_blocks() {
    for (auto& [size, blocks] : cache_) {
      for (void* block : blocks) free_to_system(device_, block);
      blocks.clear();
    }
    stats_.bytes_cached = 0;
  }

  const Device device_;
  const bool caches_;
  std::mutex mutex_;
  std::unordered_map<size_t, std::vector<void*>> cache_;  // block size → free blocks
  AllocatorStats stats_;
};

/// Never destroyed: tensors with static lifetime may outlive every other object.
CachingAllocator& allocator(Device device) {
  static auto& of_cpu = *new CachingAllocator(Device::cpu, true);
  static auto& of_gpu = *new CachingAllocator(Device::cuda, !std::getenv("PADE_NO_CUDA_CACHE"));
  return device == Device::cpu ? of_cpu : of_gpu;
}

std::atomic<bool> poison_new{false};

}  // namespace

Storage::Storage(size_t bytes, Device device, const Shape* shape) : bytes_(bytes), device_(device) {
  require_available(device);
  data_ = allocator(device).allocate(bytes, shape);
  if (!poison_new.load(std::memory_order_relaxed)) return;
  if (device == Device::cpu)
    std::memset(data_, 0xFF, bytes);
  else if constexpr (kHasCuda)
    cuda::fill_bytes(data_, 0xFF, bytes);
}

Storage::~Storage() {
  if (data_) allocator(device_).free(data_, bytes_);
}

AllocatorStats allocator_stats(Device device) { return allocator(device).stats(); }

void reset_peak_bytes_in_use(Device device) { allocator(device).reset_peak(); }

void poison_new_storage(bool on) { poison_new = on; }

void release_cached_memory() {
  for (const Device device : {Device::cpu, Device::cuda}) allocator(device).release_cached();
}

}  // namespace pade
