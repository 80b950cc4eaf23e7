#pragma once

#include <pade/core/kernels/problems.h>

namespace pade {

/// How many windows there are along each axis, ⌊(image + 2·padding − span) / stride⌋ + 1. Throws
/// Error when the window is larger than the padded image, and on values that make no sense.
Size2 count_windows(const char* op, Size2 image, const Window& window);

}  // namespace pade
