#pragma once

#include <string_view>

namespace pade {

/// Which kernels compute on the CPU.
enum class KernelChoice {
  fast,       ///< those of core/kernels/cpu
  reference,  ///< plain loops on one thread (core/kernels/reference): slow, and to be read and
              ///< stepped through
};

/// The one of that name. Throws Error that lists the names.
KernelChoice kernel_choice_named(std::string_view name);
/// What was chosen last; at first what the environment's PADE_KERNELS says, or fast.
KernelChoice kernel_choice();
void choose_kernels(KernelChoice choice);

}  // namespace pade
