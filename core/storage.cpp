#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include <pade/core/caching_allocator.h>
#include <pade/core/device_choice.h>
#include <pade/core/kernels/cuda/runtime.h>
#include <pade/core/storage.h>

namespace pade {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

/// Large blocks sit on huge pages where the system grants them: fewer page faults and TLB misses.
void* allocate_from_system(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block && alignment == kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

SystemMemory gpu_memory() {
  if constexpr (kHasCuda)
    return {Device::cuda, cuda::allocate_from_system, cuda::free_to_system,
            std::getenv("PADE_NO_CUDA_CACHE") == nullptr};
  else
    return {Device::cuda, [](size_t) -> void* { return nullptr; }, [](void*) {}};
}

/// Never destroyed: tensors with static lifetime may outlive every other object.
CachingAllocator& allocator(Device device) {
  static CachingAllocator& of_cpu =
      *new CachingAllocator({Device::cpu, allocate_from_system, std::free});
  static CachingAllocator& of_gpu = *new CachingAllocator(gpu_memory());
  return device == Device::cpu ? of_cpu : of_gpu;
}

void poison(std::byte* block, size_t bytes, Device device) {
  if (device == Device::cpu) {
    std::memset(block, 0xFF, bytes);
  } else {
    if constexpr (kHasCuda) cuda::fill_bytes(block, 0xFF, bytes);
  }
}

std::atomic<bool> poison_new{false};

}  // namespace

Storage::Storage(size_t bytes, Device device, const Shape* shape) : bytes_(bytes), device_(device) {
  require_available(device);
  data_ = allocator(device).allocate(bytes, shape);
  if (poison_new.load(std::memory_order_relaxed)) poison(data_, bytes, device);
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
