#include <algorithm>
#include <bit>
#include <new>

#include <pade/core/caching_allocator.h>
#include <pade/core/error.h>
#include <pade/core/shape.h>

namespace pade {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kAddressable = size_t{1} << 47;

}  // namespace

/// Cached sizes are 64 bytes times 8, 9, … 15 times a power of two: at most 1/8 is wasted, and
/// requests of nearly the same size share blocks. Zero when the request is beyond what a process
/// can address.
size_t CachingAllocator::block_size(size_t bytes) const {
  if (bytes > kAddressable) return 0;
  if (!system_.cached) return std::max(bytes, size_t{1});
  if (bytes <= 8 * kAlignment)
    return std::max((bytes + kAlignment - 1) / kAlignment, size_t{1}) * kAlignment;
  const size_t step = std::bit_floor(bytes - 1) / 8;
  return (bytes + step - 1) / step * step;
}

std::byte* CachingAllocator::allocate(size_t bytes, const Shape* shape) {
  const size_t size = block_size(bytes);
  const std::lock_guard lock(mutex_);
  void* block = size ? take_cached(size) : nullptr;
  if (!block && size) {
    block = system_.allocate(size);
    if (!block) {
      release_cached_blocks();
      block = system_.allocate(size);
    }
    if (block) ++stats_.system_allocations;
  }
  if (!block)
    fail("out of memory on ", system_.device, ": ", bytes, " bytes were asked for",
         shape ? ", for a tensor of shape " + to_string(*shape) : "", ", ", stats_.bytes_in_use,
         " are in use");
  stats_.bytes_in_use += size;
  stats_.peak_bytes_in_use = std::max(stats_.peak_bytes_in_use, stats_.bytes_in_use);
  return static_cast<std::byte*>(block);
}

void CachingAllocator::free(std::byte* block, size_t bytes) {
  const size_t size = block_size(bytes);
  const std::lock_guard lock(mutex_);
  stats_.bytes_in_use -= size;
  if (!system_.cached) return system_.free(block);
  try {
    cache_[size].push_back(block);
    stats_.bytes_cached += size;
  } catch (const std::bad_alloc&) {  // destructors call this
    system_.free(block);
  }
}

void CachingAllocator::release_cached() {
  const std::lock_guard lock(mutex_);
  release_cached_blocks();
}

AllocatorStats CachingAllocator::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  stats_.peak_bytes_in_use = stats_.bytes_in_use;
}

void* CachingAllocator::take_cached(size_t size) {
  const auto blocks = cache_.find(size);
  if (blocks == cache_.end() || blocks->second.empty()) return nullptr;
  void* block = blocks->second.back();
  blocks->second.pop_back();
  stats_.bytes_cached -= size;
  return block;
}

void CachingAllocator::release_cached_blocks() {
  for (auto& [size, blocks] : cache_) {
    for (void* block : blocks) system_.free(block);
    blocks.clear();
  }
  stats_.bytes_cached = 0;
}

}  // namespace pade
