#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace pade {

/// How many threads parallel loops may use; at first OMP_NUM_THREADS or the number of processors.
int num_threads();
/// Throws Error unless n >= 1. Results never depend on it.
void set_num_threads(int n);

namespace detail {
void run_blocks(int64_t count, void (*run)(void* context, int64_t block), void* context);
}

/// Calls f(block) once for each block in [0, count), on several threads in any order.
/// The first exception thrown by f is thrown again here. A nested call runs on the calling thread,
/// and so does one from a second thread while the first has a loop under way.
///
/// Every block is computed in the caller's floating-point mode, whichever thread computes it: its
/// rounding, what it does with subnormal numbers (FTZ, DAZ) and which exceptions trap. The
/// exceptions that f raises on other threads are not found in the caller's flags.
///
/// This is the only place where Padé starts threads for computing. To keep results independent of
/// the thread count, what a block is must depend on the problem only, and partial results must be
/// combined in block order.
template <class F>
void parallel_blocks(int64_t count, F&& f) {
  using Function = std::remove_reference_t<F>;
  detail::run_blocks(
      count, [](void* context, int64_t block) { (*static_cast<Function*>(context))(block); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

/// The block of elementwise loops: long enough to pay for a hand-over, short enough to stay in L2.
inline constexpr int64_t kElementBlock = 16384;

inline int64_t blocks_of(int64_t n, int64_t block_size) {
  return (n + block_size - 1) / block_size;
}

/// Cuts [0, n) into blocks of `block_size` (the last may be shorter) and calls f(begin, end) for
/// each, in parallel.
template <class F>
void parallel_for(int64_t n, int64_t block_size, F&& f) {
  parallel_blocks(blocks_of(n, block_size), [&](int64_t block) {
    const int64_t begin = block * block_size;
    f(begin, std::min(n, begin + block_size));
  });
}

}  // namespace pade
