#pragma once

#include <pade/core/kernels/kernels.h>

/// The tables that kernels_of() chooses from.
namespace pade {

namespace cpu {
const Kernels& kernels();
}
namespace cuda {
const Kernels& kernels();  // where kHasCuda
}
namespace reference {
const Kernels& kernels();
}

}  // namespace pade
