#pragma once

#include <cstddef>

#include "shadow.h"

namespace emu {

/// An array of the running block's shared memory.
struct SharedArray {
  char* begin;
  size_t bytes;
  Shadows shadows;
};

/// Gives every array up: the next block has none yet.
void reset_shared_memory();
/// Whether an address lies in shared memory, in an array or between two.
bool is_shared_address(const void*);
/// The array that has all these bytes; nullptr if none has.
SharedArray* shared_array_of(const void* begin, size_t bytes);

}  // namespace emu
