#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <pade/core/device.h>

namespace pade {

class Shape;
class Storage;

/// How a Storage gets its bytes when they are asked for: for an op whose result the next op may be
/// able to do without (see core/ops/pending_batch_norm.h).
class Promise {
 public:
  virtual ~Promise() = default;
  /// The bytes, in a storage of the same size and device.
  virtual std::shared_ptr<Storage> fulfil() = 0;
};

/// Bytes on one device, from a caching allocator, 64-byte aligned and not initialised. Tensors
/// share it by reference count; views of one storage share its version. On Device::cuda, data() is
/// an address of the GPU's memory, which the host must not follow.
///
/// Several threads may read one storage, also one that was promised: the first reader computes it,
/// the others wait. A change in place may go on beside a reader of what has been promised from
/// these bytes, and beside changes of other bytes, but not beside anyone who reads the bytes that
/// change.
class Storage {
 public:
  /// Throws Error when there is not enough memory: with the shape of the tensor that it is for,
  /// where that is given.
  Storage(size_t bytes, Device device, const Shape* shape = nullptr);
  /// No memory is taken until data() is called first.
  Storage(size_t bytes, Device device, std::unique_ptr<Promise> promise);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() {
    if (!ready_.load(std::memory_order_acquire)) fulfil();
    return data_;
  }
  const std::byte* data() const { return const_cast<Storage*>(this)->data(); }
  /// Null when the bytes are there. While the pointer lives, no other thread fulfils the promise,
  /// or changes what it is made from. It must go before this storage does, on the same thread.
  std::shared_ptr<Promise> promise();
  /// What `dependent` has promised is made from these bytes: it is computed before they change.
  void add_dependent(const std::shared_ptr<Storage>& dependent);
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

  /// Counts the changes made in place. A tape compares it with what it was when it saved a tensor.
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() {
    if (has_dependents_.load(std::memory_order_acquire)) fulfil_dependents();
    version_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  void fulfil();
  void fulfil_dependents();

  std::byte* data_ = nullptr;
  size_t bytes_;
  Device device_;
  std::atomic<uint32_t> version_{0};
  std::atomic<bool> ready_{true};
  std::atomic<bool> has_dependents_{false};

  // No two threads wait for each other: one that changes x takes x's first mutex, then the second
  // ones of what is made from x; one that computes y takes y's second, then those of what y is made
  // from.
  std::mutex dependents_mutex_, promise_mutex_;
  std::vector<std::weak_ptr<Storage>> dependents_;
  std::shared_ptr<Promise> promise_;
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
