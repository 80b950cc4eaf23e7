#pragma once

#include <string>

#include <pade/core/kernels/kernels.h>

namespace pade::cpu {

/// A convolution and its gradients, as core/kernels/kernels.h has them; `bias` may be null.
template <class T>
struct Passes {
  void (*forward)(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y);
  void (*backward_data)(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx);
  void (*backward_weight)(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight);
};

/// A way to compute them, in the file of its name. Which one is taken is in methods.cpp.
struct Method {
  const char* name;
  bool (*is_possible)(const Conv2dProblem& problem, DType dtype);
  Passes<float> f32;
  Passes<double> f64;

  void forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
               const Tensor& bias, Tensor& y) const;
  void backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                     Tensor& dx) const;
  void backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                       Tensor& dweight) const;
};

/// 3×3 kernels at stride 1 without groups, padding of at most 2: a quarter of the products, at ten
/// times the rounding error (cpu/conv2d/winograd.h).
extern const Method kWinograd;
/// Depthwise convolutions that keep the image's size, 3×3 or 5×5 taps, stride and dilation 1:
/// neighbouring pixels at once, nothing is copied into another layout.
extern const Method kDepthwiseSameSize;
/// Depthwise convolutions, kernels of at most 7 taps in a row, an image of which a cache holds as
/// many channels as there are lanes: so many channels at once.
extern const Method kDepthwise;
/// 1×1 kernels at stride 1: a matrix product with the image as it is.
extern const Method kPointwise;
/// As many images at once as there are lanes, so that nothing is wasted on the shape of an image:
/// where most of the lanes have an image, and a cache holds the images.
extern const Method kBatchBlocked;
/// Filters lie in lanes, of any shape but without groups; a pixel is multiplied with as many of
/// them at once.
extern const Method kChannelBlocked;
/// Shifted copies of the image are multiplied and added up directly.
extern const Method kDirect;
/// The image is unfolded into a matrix, which is multiplied by the filters.
extern const Method kIm2col;

enum class Pass { forward, backward_data, backward_weight };
/// The problem, and which of the methods is taken for it, as
/// `conv2d forward, x [128, 64, 32, 32], weight [64, 64, 3, 3], stride 1, padding 1: winograd`.
/// Where PADE_VERBOSE is `conv2d`, this is printed to stderr when a problem first comes up.
std::string describe_method(const Conv2dProblem& problem, DType dtype, Pass pass);

}  // namespace pade::cpu
