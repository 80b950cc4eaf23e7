#pragma once

#include <cstdint>

namespace emu {

/// In [0, end), from a generator (xorshift) that begins again when settings().seed changes: orders
/// of threads, not numbers for statistics.
uint32_t random_below(uint32_t end);

}  // namespace emu
