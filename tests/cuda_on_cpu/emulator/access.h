#pragma once

#include <cstddef>
#include <string>

namespace emu {

/// One access of a kernel.
struct Access {
  const void* address;
  size_t bytes;
  bool writes, atomic;
  const void* caller;  ///< a return address in the kernel

  /// "write of 4 bytes at file:line".
  std::string text() const;
};

/// Some kernels were compiled with hooks that call check_access().
void check_accesses_from_now_on();

}  // namespace emu
