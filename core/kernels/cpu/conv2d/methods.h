#pragma once

#include <string>

#include <pade/core/kernels/kernels.h>

namespace pade::cpu {

using Forward = decltype(Kernels::conv2d_forward)::Function;
using BackwardData = decltype(Kernels::conv2d_backward_data)::Function;
using BackwardWeight = decltype(Kernels::conv2d_backward_weight)::Function;

enum class Pass { forward, backward_data, backward_weight };
/// The problem, and which of the methods below is taken for it, as
/// `conv2d forward, x [128, 64, 32, 32], weight [64, 64, 3, 3], stride 1, padding 1: winograd`.
/// Where PADE_VERBOSE has `conv2d`, this is printed to stderr when a problem first comes up.
std::string describe_method(const Conv2dProblem& problem, DType dtype, Pass pass);

/// The method for few channels per group: shifted copies of the image are multiplied and added up
/// directly.
namespace direct {
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace direct

/// The method for filters as many as lanes or more, of any shape: they lie in lanes, and numbers of
/// the image are multiplied with as many of them at once.
namespace channel_blocked {
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace channel_blocked

/// The method for few channels and many images: as many images at once as there are lanes, so that
/// nothing is wasted on the shape of an image.
namespace batch_blocked {
/// At least most of the lanes have an image, and a cache holds the images.
bool is_possible(const Conv2dProblem& problem, DType dtype);
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace batch_blocked

/// The method for many channels: the image is unfolded into a matrix (im2col), which is multiplied
/// by the filters.
namespace im2col {
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace im2col

/// The method for 1×1 kernels at stride 1: a matrix product with the image as it is.
namespace pointwise {
bool is_possible(const Conv2dProblem& problem);
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace pointwise

/// The method for depthwise convolutions: as many channels at once as there are lanes.
namespace depthwise {
/// As many groups as channels, in and out, kernels of at most 7 taps in a row, and an image of
/// which a cache holds that many channels.
bool is_possible(const Conv2dProblem& problem);
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace depthwise

/// The method for depthwise convolutions that keep the image's size: neighbouring pixels at once,
/// nothing is copied into another layout.
namespace depthwise_same_size {
/// As many groups as channels, in and out, 3×3 or 5×5 taps, stride and dilation 1.
bool is_possible(const Conv2dProblem& problem);
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace depthwise_same_size

/// The method for 3×3 kernels at stride 1 and many channels: a quarter of the products, at ten
/// times the rounding error (cpu/conv2d/winograd.h).
namespace winograd {
/// Stride and dilation 1, no groups, and padding of at most 2.
bool is_possible(const Conv2dProblem& problem);
Forward forward;
BackwardData backward_data;
BackwardWeight backward_weight;
}  // namespace winograd

}  // namespace pade::cpu
