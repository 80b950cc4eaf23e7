#pragma once

#ifndef PADE_HAS_CUDA
#error "Configure again: CMake has not seen yet that this source includes device_choice.h."
#endif

namespace pade {

/// Whether this build has GPU kernels. Without them no tensor can live on Device::cuda, and
/// nothing in namespace pade::cuda is defined.
inline constexpr bool kHasCuda = PADE_HAS_CUDA;

}  // namespace pade
