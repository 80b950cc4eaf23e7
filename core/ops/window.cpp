#include <algorithm>

#include <pade/core/error.h>
#include <pade/core/ops/window.h>

namespace pade {
namespace {

/// Sums and products of two such extents are far from overflow.
constexpr int64_t kLargest = int64_t{1} << 30;

void check_range(const char* op, const char* what, Size2 value, int64_t smallest) {
  check(std::min(value.h, value.w) >= smallest && std::max(value.h, value.w) <= kLargest, op,
        ": expected a ", what, " from ", smallest, " to ", kLargest, ", got ", value);
}

}  // namespace

Size2 count_windows(const char* op, Size2 image, const Window& window) {
  check_range(op, "kernel", window.kernel, 1);
  check_range(op, "stride", window.stride, 1);
  check_range(op, "padding", window.padding, 0);
  check_range(op, "dilation", window.dilation, 1);
  check_range(op, "image", image, 0);
  const Size2 span = window.span();
  const Size2 padded{image.h + 2 * window.padding.h, image.w + 2 * window.padding.w};
  check(span.h <= padded.h && span.w <= padded.w, op, ": a window of ", span,
        " pixels does not fit into an image of ", image, " with a padding of ", window.padding,
        " (kernel ", window.kernel, ", dilation ", window.dilation, ")");
  return {(padded.h - span.h) / window.stride.h + 1, (padded.w - span.w) / window.stride.w + 1};
}

}  // namespace pade
