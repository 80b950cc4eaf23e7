#pragma once

#include <pade/core/ops/size2.h>

namespace pade {

/// A window that slides over an image: tap (kh, kw) of the window at output pixel (i, j) lies on
/// image pixel (i·stride.h + kh·dilation.h − padding.h, and so for the width).
struct Window {
  Size2 kernel, stride, padding, dilation;

  Size2 span() const {  ///< from the first to the last tap, in pixels
    return {(kernel.h - 1) * dilation.h + 1, (kernel.w - 1) * dilation.w + 1};
  }
};

/// How many windows there are along each axis, ⌊(image + 2·padding − span) / stride⌋ + 1. Throws
/// Error when the window is larger than the padded image, and on values that make no sense.
Size2 count_windows(const char* op, Size2 image, const Window& window);

}  // namespace pade
