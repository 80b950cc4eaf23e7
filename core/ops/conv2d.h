#pragma once

#include <pade/core/size2.h>
#include <pade/core/tensor.h>

namespace pade {

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;   ///< zeros around the image, on both sides
  Size2 dilation = 1;  ///< distance between neighbouring taps of the kernel, in pixels
  int64_t groups = 1;  ///< channels are cut into groups that do not see each other
};

/// Convolution of images (cross-correlation, as in every deep-learning library):
///
///   y[n, o, i, j] = bias[o] + Σ_{c, kh, kw} weight[o, c, kh, kw] ·
///                   x[n, first(o) + c, i·stride + kh·dilation − padding, and so for the width]
///
/// x [N, C, H, W], weight [O, C/groups, KH, KW], bias [O] or undefined for none; y is
/// [N, O, H', W'] with H' = ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1. first(o) is
/// the first channel of o's group. float32 and float64. Throws Error when shapes, dtypes or
/// options do not agree, and when the kernel is larger than the padded image.
///
/// The CPU has several methods, and takes what was measured to be ahead for the shapes at hand;
/// where the environment has PADE_VERBOSE=conv2d, it prints to stderr which that is, once for each.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              Conv2dOptions options = {});

/// Whether 3×3 convolutions with stride 1 of float32 tensors on the CPU may use Winograd's
/// F(4×4, 3×3), which is up to three times as fast. Its rounding errors are ten times as large:
/// 1e-5 of the largest result, where they are 1e-6 otherwise. On at first. float64 never uses it.
void allow_winograd(bool allowed);
bool winograd_allowed();

}  // namespace pade
