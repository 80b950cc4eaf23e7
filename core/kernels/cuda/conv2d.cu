#include <algorithm>
#include <limits>

#include <pade/core/error.h>
#include <pade/core/kernels/cuda/conv2d.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {
namespace {

/// Kernels count pixels and weights in 32 bits.
Conv2dIndex make_index(const Conv2dProblem& problem) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const int64_t inputs = problem.images * problem.in_channels * problem.image.area();
  const int64_t outputs = problem.images * problem.out_channels * problem.output.area();
  const int64_t weights = problem.out_channels * problem.terms();
  check(std::max({inputs, outputs, weights}) <= kMost, "conv2d on cuda: ", problem.images,
        " images are too many at once: ", std::max({inputs, outputs, weights}),
        " elements, at most ", kMost, " can be counted");
  const Size2 padding = problem.window.padding;
  check(std::max(problem.image.h + 2 * padding.h, problem.image.w + 2 * padding.w) <= kMost,
        "conv2d on cuda: a padding of ", padding, " is too large");
  return Conv2dIndex(problem);
}

bool is_depthwise(const Conv2dProblem& problem) {
  return problem.group_in() == 1 && problem.groups > 1;
}

/// Block (x, y): a slice of the images, and a channel.
template <class T>
__global__ void __launch_bounds__(kThreads)
    bias_gradient_kernel(int64_t images, int64_t channels, int64_t pixels, int64_t slice_images,
                         const T* dy, double* partials) {
  const int64_t begin = blockIdx.x * slice_images;
  const int64_t end = min(images, begin + slice_images);
  for (int64_t channel = blockIdx.y; channel < channels; channel += gridDim.y) {
    double sum = 0;
    for (int64_t image = begin; image < end; ++image) {
      const T* plane = dy + (image * channels + channel) * pixels;
      for (int64_t i = threadIdx.x; i < pixels; i += kThreads) sum += plane[i];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) partials[channel * gridDim.x + blockIdx.x] = sum;
  }
}

// ---------------------------------------------------------------------------------- launchers

void conv2d_forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y) {
  const Conv2dIndex index = make_index(problem);
  dispatch_floating(x.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const ForwardFactors<T> factors{index, x.address<T>(), weight.address<T>(),
                                    bias.defined() ? bias.address<T>() : nullptr,
                                    y.mutable_address<T>()};
    (is_depthwise(problem) ? depthwise::forward<T> : implicit_gemm::forward<T>)(factors);
  });
}

void conv2d_backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                          Tensor& dx) {
  const Conv2dIndex index = make_index(problem);
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const DataFactors<T> factors{index, dy.address<T>(), weight.address<T>(),
                                 dx.mutable_address<T>()};
    (is_depthwise(problem) ? depthwise::backward_data<T>
                           : implicit_gemm::backward_data<T>)(factors);
  });
}

void conv2d_backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                            Tensor& dweight) {
  const Conv2dIndex index = make_index(problem);
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const WeightFactors<T> factors{index, x.address<T>(), dy.address<T>(), nullptr, 0};
    (is_depthwise(problem)
         ? depthwise::backward_weight<T>
         : implicit_gemm::backward_weight<T>)(factors, dweight.mutable_address<T>());
  });
}

void conv2d_backward_bias(const Tensor& dy, Tensor& dbias) {
  const int64_t images = dy.extent(0), channels = dy.extent(1), pixels = dy.shape().size_from(2);
  constexpr int64_t kSliceElements = 16384;
  const int64_t slice_images = std::max<int64_t>(1, kSliceElements / std::max<int64_t>(1, pixels));
  const int64_t slices = (images + slice_images - 1) / slice_images;
  Tensor partials = Tensor::empty({channels, slices}, DType::float64, Device::cuda);
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const dim3 grid(static_cast<unsigned>(slices),
                    static_cast<unsigned>(std::min<int64_t>(channels, 65535)));
    launch("backward of conv2d", {grid}, bias_gradient_kernel<T>, images, channels, pixels,
           slice_images, dy.address<T>(), partials.mutable_address<double>());
    sum_partials("backward of conv2d", partials.address<double>(), channels, slices, ToScalar<T>{},
                 dbias.mutable_address<T>());
  });
}

}  // namespace

void add_conv2d(Kernels& kernels) {
  kernels.conv2d_forward = conv2d_forward;
  kernels.conv2d_backward_data = conv2d_backward_data;
  kernels.conv2d_backward_weight = conv2d_backward_weight;
  kernels.conv2d_backward_bias = conv2d_backward_bias;
}

}  // namespace pade::cuda
