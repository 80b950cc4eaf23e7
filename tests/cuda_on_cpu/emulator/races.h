#pragma once

#include "access.h"
#include "shadow.h"

namespace emu {

enum class Space { global, shared };

/// Ends the launch with a fault when an access of the running thread reads bytes that nobody wrote,
/// or races with another thread's, and remembers it. `first` is its first byte's offset.
///
/// Two accesses race when one of them writes, not both are atomic, and no barrier of their block
/// (or of their warp, in one warp) lies between; and always when they are of two blocks of a
/// launch.
void check_words(const Access&, Shadows&, size_t first, Space);

}  // namespace emu
