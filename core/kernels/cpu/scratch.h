#pragma once

#include <algorithm>

#include <pade/core/device.h>
#include <pade/core/storage.h>

namespace pade::cpu {

/// Working memory of a block of a kernel, not initialised unless with a value. After the first step
/// it costs no system call: the allocator has it ready.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t size)
      : storage_(static_cast<size_t>(size) * sizeof(T), Device::cpu),
        data_(reinterpret_cast<T*>(storage_.data())) {}
  Scratch(int64_t size, T value) : Scratch(size) { std::fill_n(data_, size, value); }
  T* data() const { return data_; }

 private:
  Storage storage_;
  T* data_;
};

}  // namespace pade::cpu
