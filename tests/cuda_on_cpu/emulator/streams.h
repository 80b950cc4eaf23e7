#pragma once

#include <cuda_runtime.h>

#include <functional>

namespace emu {

/// Puts work on a stream. It is done when somebody waits for it, and not before: code that reads a
/// result too early sees so.
void enqueue(cudaStream_t, std::function<void()> work);
void finish(cudaStream_t);
void finish_all_streams();

}  // namespace emu
