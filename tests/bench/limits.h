#pragma once

#include "work.h"

/// What no program can exceed on this machine, with num_threads() threads: measured, not looked up.
namespace pade::bench {

/// Multiplications and additions, and bytes read and written: what work has to do at least.
struct Cost {
  double flops = 0, bytes = 0;
};
inline Cost operator+(Cost a, Cost b) { return {a.flops + b.flops, a.bytes + b.bytes}; }

/// On every thread, `count` additions of products to each lane of enough registers to keep the
/// processor busy.
Work fused_multiply_adds(int64_t count);
/// How many multiplications and additions that is, on all threads together.
double flops_of_fused_multiply_adds(int64_t count);

/// On every thread, copies from one place to another until kCopied bytes have been read and as many
/// written; a copy reads and writes `bytes` together, which stay the thread's own. `streaming`
/// writes past the caches.
Work copies(int64_t bytes, bool streaming);
inline constexpr int64_t kCopied = 4 << 20;
/// The bytes that copies(bytes, …) reads and writes, on all threads together.
double bytes_of_copies(int64_t bytes);

/// The seconds that `cost` takes if all arithmetic runs at the rate of fused_multiply_adds(), and
/// all bytes move at the rate of copies() of so many, whichever takes longer. Both rates are
/// measured when they are first asked for, and hold for the number of threads at that time.
double least_seconds(Cost cost);

}  // namespace pade::bench
