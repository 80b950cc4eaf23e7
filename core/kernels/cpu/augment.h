#pragma once

#include <cstdint>

#include <pade/core/kernels/problems.h>

namespace pade::cpu {

/// Kernels::augment of one image, on the calling thread, for callers that have one of their own.
void augment_image(const AugmentProblem& problem, const uint8_t* pixels, const int32_t* edit,
                   const float* levels, float* image);

}  // namespace pade::cpu
