#pragma once

#include <new>

#include <pade/core/error.h>
#include <pade/core/tensor.h>

#ifndef PADE_HAS_CUDA
#error "Configure anew: CMake has not seen yet that this source includes device_choice.h."
#endif

namespace pade {

/// Whether this build has GPU kernels. Without them no tensor can live on Device::cuda, and
/// nothing in namespace pade::cuda is defined.
inline constexpr bool kHasCuda = PADE_HAS_CUDA;

/// Runs a kernel where `tensor` lives: PADE_ON_DEVICE_OF(x, unary_forward(f, x, y)) calls
/// cuda::unary_forward or cpu::unary_forward. A façade has checked that the kernel's tensors live
/// on one device. Where the kernel gets no memory, this throws an Error.
#define PADE_ON_DEVICE_OF(tensor, ...)             \
  do {                                             \
    try {                                          \
      if ((tensor).on_cuda()) {                    \
        if constexpr (kHasCuda) cuda::__VA_ARGS__; \
      } else {                                     \
        cpu::__VA_ARGS__;                          \
      }                                            \
    } catch (const std::bad_alloc&) {              \
      throw_out_of_memory();                       \
    }                                              \
  } while (false)

}  // namespace pade
