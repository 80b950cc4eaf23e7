#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace emu {

/// What is remembered of four bytes of global or shared memory: who wrote them last, and who has
/// read them since. Of several bytes that several threads wrote, the last counts.
struct Shadow {
  enum Readers : uint8_t { one_thread, threads_of_a_warp, threads_of_a_block, several_blocks };

  struct Access {
    uint64_t time = 0;               ///< 0: never
    uint32_t block = 0, launch = 0;  ///< serial numbers
    uint16_t thread = 0;
    uint8_t bytes = 0;  ///< a bit for each
  };
  Access write, read;
  bool written_by_atomic = false;
  Readers readers = one_thread;
  uint8_t initialized = 0;  ///< a bit for each byte

  void forget_accesses() { write.time = read.time = 0; }
};

/// One for each four bytes of an array; none in builds that do not look at accesses.
using Shadows = std::vector<Shadow>;

inline bool is_initialized(const Shadows& shadows, size_t byte) {
  return shadows.empty() || (shadows[byte / 4].initialized >> byte % 4 & 1);
}
/// Says so of bytes that no kernel wrote: copies and the like come between all kernels.
inline void set_initialized(Shadows& shadows, size_t byte, bool initialized) {
  if (shadows.empty()) return;
  Shadow& shadow = shadows[byte / 4];
  const uint8_t bit = static_cast<uint8_t>(1 << byte % 4);
  shadow.initialized =
      static_cast<uint8_t>(initialized ? shadow.initialized | bit : shadow.initialized & ~bit);
  shadow.forget_accesses();
}

}  // namespace emu
