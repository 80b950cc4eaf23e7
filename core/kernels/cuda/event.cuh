#pragma once

#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {

/// One that says when work is done, and takes no time. Throws Error where there is none.
inline cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "an event of the GPU");
  return event;
}

}  // namespace pade::cuda
