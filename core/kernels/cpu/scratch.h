#pragma once

#include <pade/core/device.h>
#include <pade/core/storage.h>

namespace pade::cpu {

/// Working memory of a block of a kernel, not initialised. After the first step it costs no system
/// call: the allocator has it ready.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t size) : storage_(static_cast<size_t>(size) * sizeof(T), Device::cpu) {}
  T* data() { return reinterpret_cast<T*>(storage_.data()); }

 private:
  Storage storage_;
};

}  // namespace pade::cpu
