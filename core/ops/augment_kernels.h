#pragma once

#include <cstdint>

#include <pade/core/tensor.h>

namespace pade {

/// The images of a batch, and how many boxes may be erased in each.
struct AugmentProblem {
  int64_t channels, h, w;
  int boxes;
};

namespace cpu {

void augment(const Tensor& pixels, const Tensor& edits, const Tensor& levels, Tensor& images);

/// One image, on the calling thread, for callers that have a thread of their own.
void augment_image(const AugmentProblem& problem, const uint8_t* pixels, const int32_t* edit,
                   const float* levels, float* image);

}  // namespace cpu

namespace cuda {

decltype(cpu::augment) augment;

}  // namespace cuda
}  // namespace pade
