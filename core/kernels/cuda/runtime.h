#pragma once

#include <cstddef>
#include <string>

#include <pade/core/device.h>

/// What the rest of the library asks of the GPU, without CUDA's types. One GPU (the first that
/// CUDA_VISIBLE_DEVICES shows), and one stream on which everything runs in order. Defined only in
/// builds with GPU kernels.
namespace pade::cuda {

/// Empty when there is a GPU that works. Looks for it on the first call.
std::string why_unavailable();
/// As `NVIDIA H100, sm_90, 79 GiB, driver 13.0, runtime 13.0, cuBLAS 13.0`.
std::string describe();

/// Waits for the GPU, and throws an Error when something that was asked of it failed.
void synchronize();

/// Bytes of the GPU's memory, aligned to 256 bytes; null where there are not enough left.
void* allocate_from_system(size_t bytes);
void free_to_system(void* block);

/// Sets every byte, in order with the kernels.
void fill_bytes(void* to, unsigned char value, size_t bytes);
/// Copies, in order with the kernels, between any of the two memories. Returns when the host's
/// memory may be used again.
void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes);

}  // namespace pade::cuda
