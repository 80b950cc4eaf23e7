#pragma once

/// CUDA as far as the library uses it, on the CPU: with this header in the place of NVIDIA's, the
/// .cu files are C++. A kernel that needs another function of CUDA's does not compile until that
/// function stands here.
#ifdef __CUDACC__
#error "the emulation must not be on nvcc's include path"
#endif
#define PADE_CUDA_EMULATED 1

#include <emu/host_api.h>

#include <emu/device_api.h>
