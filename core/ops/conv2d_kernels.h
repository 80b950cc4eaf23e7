#pragma once

#include <algorithm>
#include <string>

#include <pade/core/ops/window_kernels.h>
#include <pade/core/tensor.h>

namespace pade {

struct Conv2dProblem {
  int64_t images, in_channels, out_channels, groups;
  Size2 image, output;  // heights and widths
  Window window;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return window.kernel.area(); }
  /// Products per output element: the length of a filter.
  int64_t terms() const { return group_in() * taps(); }
  /// Multiplications for one group of one image.
  double multiplications() const {
    return static_cast<double>(group_out() * terms()) * static_cast<double>(output.area());
  }
  /// What the taps of all windows see of the image, padding included; at least the image, which may
  /// be larger than what strides leave of it.
  Size2 padded() const {
    const Size2 seen{(output.h - 1) * window.stride.h + window.span().h,
                     (output.w - 1) * window.stride.w + window.span().w};
    return {std::max(seen.h, window.padding.h + image.h),
            std::max(seen.w, window.padding.w + image.w)};
  }
};

/// x [N, C, H, W], weight [O, C/groups, KH, KW], y and dy [N, O, H', W'], bias [O].
namespace cpu {

/// `bias` may be undefined.
void conv2d_forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y);
void conv2d_backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                          Tensor& dx);
void conv2d_backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                            Tensor& dweight);
void conv2d_backward_bias(const Tensor& dy, Tensor& dbias);

enum class Pass { forward, backward_data, backward_weight };
/// The problem, and which of the methods below is taken for it, as
/// `conv2d forward, x [128, 64, 32, 32], weight [64, 64, 3, 3], stride 1, padding 1: winograd`.
/// Where PADE_VERBOSE has `conv2d`, this is printed to stderr when a problem first comes up.
std::string describe_method(const Conv2dProblem& problem, DType dtype, Pass pass);

/// The method for few channels per group: shifted copies of the image are multiplied and added up
/// directly.
namespace direct {
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace direct

/// The method for filters as many as lanes or more, of any shape: they lie in lanes, and numbers of
/// the image are multiplied with as many of them at once.
namespace filter_lanes {
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace filter_lanes

/// The method for few channels and many images: as many images at once as there are lanes, so that
/// nothing is wasted on the shape of an image.
namespace image_lanes {
/// At least most of the lanes have an image, and a cache holds the images.
bool is_possible(const Conv2dProblem& problem, DType dtype);
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace image_lanes

/// The method for many channels: the image is laid out as a matrix (im2col), which is multiplied
/// by the filters.
namespace im2col {
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace im2col

/// The method for 1×1 kernels at stride 1: a matrix product with the image as it is.
namespace pointwise {
bool is_possible(const Conv2dProblem& problem);
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace pointwise

/// The method for depthwise convolutions: as many channels at once as there are lanes.
namespace depthwise {
/// As many groups as channels, in and out, kernels of at most 7 taps in a row, and an image of
/// which a cache holds that many channels.
bool is_possible(const Conv2dProblem& problem);
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace depthwise

/// The method for depthwise convolutions that keep the image's size: neighbouring pixels at once,
/// nothing is laid out anew.
namespace depthwise_planes {
/// As many groups as channels, in and out, 3×3 or 5×5 taps, stride and dilation 1.
bool is_possible(const Conv2dProblem& problem);
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace depthwise_planes

/// The method for 3×3 kernels at stride 1 and many channels: a quarter of the products, at ten
/// times the rounding error (winograd_loops.h).
namespace winograd {
/// Stride and dilation 1, no groups, and padding of at most 2.
bool is_possible(const Conv2dProblem& problem);
decltype(conv2d_forward) forward;
decltype(conv2d_backward_data) backward_data;
decltype(conv2d_backward_weight) backward_weight;
}  // namespace winograd

}  // namespace cpu

namespace cuda {

decltype(cpu::conv2d_forward) conv2d_forward;
decltype(cpu::conv2d_backward_data) conv2d_backward_data;
decltype(cpu::conv2d_backward_weight) conv2d_backward_weight;
decltype(cpu::conv2d_backward_bias) conv2d_backward_bias;

}  // namespace cuda
}  // namespace pade
