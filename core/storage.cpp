#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

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

Storage::Storage(size_t bytes, Device device, std::unique_ptr<Promise> promise)
    : bytes_(bytes), device_(device), ready_(false), promise_(std::move(promise)) {}

Storage::~Storage() {
  if (data_) allocator(device_).free(data_, bytes_);
}

void Storage::fulfil() {
  const std::lock_guard lock(promise_mutex_);
  if (!promise_) return;  // another thread did it meanwhile
  const std::shared_ptr<Storage> computed = promise_->fulfil();
  std::swap(data_, computed->data_);
  promise_.reset();
  ready_.store(true, std::memory_order_release);
}

std::shared_ptr<Promise> Storage::promise() {
  if (ready_.load(std::memory_order_acquire)) return nullptr;
  struct Held {
    std::shared_ptr<Promise> promise;
    std::unique_lock<std::mutex> lock;
  };
  std::unique_lock lock(promise_mutex_);
  if (!promise_) return nullptr;
  const auto held = std::make_shared<Held>(Held{promise_, std::move(lock)});
  return {held, held->promise.get()};
}

void Storage::add_dependent(const std::shared_ptr<Storage>& dependent) {
  const std::lock_guard lock(dependents_mutex_);
  std::erase_if(dependents_, [](const auto& earlier) { return earlier.expired(); });
  dependents_.push_back(dependent);
  has_dependents_.store(true, std::memory_order_release);
}

/// All are computed before one is forgotten: should one fail, the bytes are not changed, and the
/// next attempt must find it.
void Storage::fulfil_dependents() {
  const std::lock_guard lock(dependents_mutex_);
  for (const auto& dependent : dependents_)
    if (const auto promised = dependent.lock()) promised->data();
  dependents_.clear();
  has_dependents_.store(false, std::memory_order_release);
}

AllocatorStats allocator_stats(Device device) { return allocator(device).stats(); }

void reset_peak_bytes_in_use(Device device) { allocator(device).reset_peak(); }

void poison_new_storage(bool on) { poison_new = on; }

void release_cached_memory() {
  for (const Device device : {Device::cpu, Device::cuda}) allocator(device).release_cached();
}

}  // namespace pade
