#include "access.h"

#include <cuda_runtime.h>

/// Checked builds compile kernels with -fsanitize=thread, which calls one of these functions before
/// each load and store. No sanitizer is linked: what it would define is defined here, and this file
/// is left out of sanitized builds, which have the real one.

#define CALLER __builtin_return_address(0)

extern "C" {

void __tsan_init() { emu::check_accesses_from_now_on(); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define ACCESS_OF(BYTES)                                     \
  void __tsan_read##BYTES(void* address) {                   \
    emu::check_access(address, BYTES, false, false, CALLER); \
  }                                                          \
  void __tsan_write##BYTES(void* address) {                  \
    emu::check_access(address, BYTES, true, false, CALLER);  \
  }                                                          \
  void __tsan_unaligned_read##BYTES(void* address) {         \
    emu::check_access(address, BYTES, false, false, CALLER); \
  }                                                          \
  void __tsan_unaligned_write##BYTES(void* address) {        \
    emu::check_access(address, BYTES, true, false, CALLER);  \
  }
ACCESS_OF(1)
ACCESS_OF(2)
ACCESS_OF(4)
ACCESS_OF(8)
ACCESS_OF(16)
#undef ACCESS_OF
void __tsan_read_range(void* address, size_t bytes) {
  emu::check_access(address, bytes, false, false, CALLER);
}
void __tsan_write_range(void* address, size_t bytes) {
  emu::check_access(address, bytes, true, false, CALLER);
}

// std::atomic and std::shared_ptr in the host's part of these files.
#define ATOMICS_OF(BITS, T)                                                                    \
  T __tsan_atomic##BITS##_load(const volatile T* from, int) {                                  \
    return __atomic_load_n(from, __ATOMIC_SEQ_CST);                                            \
  }                                                                                            \
  void __tsan_atomic##BITS##_store(volatile T* to, T value, int) {                             \
    __atomic_store_n(to, value, __ATOMIC_SEQ_CST);                                             \
  }                                                                                            \
  T __tsan_atomic##BITS##_exchange(volatile T* to, T value, int) {                             \
    return __atomic_exchange_n(to, value, __ATOMIC_SEQ_CST);                                   \
  }                                                                                            \
  T __tsan_atomic##BITS##_fetch_add(volatile T* to, T value, int) {                            \
    return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);                                    \
  }                                                                                            \
  T __tsan_atomic##BITS##_fetch_sub(volatile T* to, T value, int) {                            \
    return __atomic_fetch_sub(to, value, __ATOMIC_SEQ_CST);                                    \
  }                                                                                            \
  int __tsan_atomic##BITS##_compare_exchange_strong(volatile T* to, T* expected, T value, int, \
                                                    int) {                                     \
    return __atomic_compare_exchange_n(to, expected, value, 0, __ATOMIC_SEQ_CST,               \
                                       __ATOMIC_SEQ_CST);                                      \
  }
ATOMICS_OF(8, unsigned char)
ATOMICS_OF(32, unsigned)
ATOMICS_OF(64, unsigned long)
#undef ATOMICS_OF

}  // extern "C"
