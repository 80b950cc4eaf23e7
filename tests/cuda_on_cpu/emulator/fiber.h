#pragma once

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emu {

/// A place in a running program that can be left and come back to: what emulated threads run on.
/// Switching costs about 10 ns on x86-64, where it is done by hand, and 300 ns elsewhere.
class Fiber {
 public:
  static constexpr size_t kStackBytes = 64 * 1024;

  /// The one that the calling code runs on, with its stack.
  Fiber();
  /// One with a stack of its own. Overflow of it is SIGSEGV.
  explicit Fiber(void (*entry)());
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Begins at the entry when it is next switched to; what it was in before is forgotten.
  void restart();
  /// Leaves this fiber, which runs, for another. Returns when somebody switches to this one.
  void switch_to(Fiber& other);
  /// To be called first by every entry.
  static void begin_entry();

  bool has_on_stack(const void* address) const {
    const char* byte = static_cast<const char*>(address);
    return byte >= stack_ && byte < stack_ + stack_bytes_;
  }

 private:
  char* stack_ = nullptr;
  size_t stack_bytes_ = 0;
  void (*entry_)() = nullptr;
#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_;
#endif
  void* sanitizer_stack_ = nullptr;  ///< what AddressSanitizer keeps for a fiber that is left
};

}  // namespace emu
