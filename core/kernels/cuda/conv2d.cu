#include <algorithm>
#include <limits>

#include <pade/core/error.h>
#include <pade/core/kernels/cuda/conv2d_depthwise.cuh>
#include <pade/core/kernels/cuda/conv2d_gemm.cuh>
#include <pade/core/kernels/cuda/reduce_nest.cuh>

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

template <class T, class Factors>
void convolve(const char* op, const Conv2dProblem& problem, const Factors& factors) {
  if (is_depthwise(problem))
    depthwise::convolve<T>(op, factors);
  else
    implicit_gemm::multiply<T>(op, factors, 1, factors.inner());
}

// ---------------------------------------------------------------------------------- launchers

void conv2d_forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y) {
  dispatch_floating(x.dtype(), "conv2d", [&]<class T>(T) {
    const T* biases = bias.defined() ? bias.address<T>() : nullptr;
    convolve<T>("conv2d", problem,
                PixelFactors<T, false>{make_index(problem), x.address<T>(), weight.address<T>(),
                                       y.mutable_address<T>(), biases});
  });
}

void conv2d_backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                          Tensor& dx) {
  dispatch_floating(dy.dtype(), "conv2d", [&]<class T>(T) {
    convolve<T>("backward of conv2d", problem,
                PixelFactors<T, true>{make_index(problem), dy.address<T>(), weight.address<T>(),
                                      dx.mutable_address<T>()});
  });
}

void conv2d_backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                            Tensor& dweight) {
  dispatch_floating(dy.dtype(), "conv2d", [&]<class T>(T) {
    const WeightFactors<T> factors{make_index(problem), x.address<T>(), dy.address<T>()};
    (is_depthwise(problem) ? depthwise::backward_weight<T>
                           : implicit_gemm::backward_weight<T>)("backward of conv2d", factors,
                                                                dweight.mutable_address<T>());
  });
}

void conv2d_backward_bias(const Tensor& dy, Tensor& dbias) {
  const LoopNest nest = loop_over(dy.shape(), {dy.shape(), {dy.extent(1), 1, 1}});
  dispatch_floating(dy.dtype(), "conv2d", [&]<class T>(T) {
    reduce<Sum>("backward of conv2d", Identity{}, nest, 1, StoreSum<T>{dbias.mutable_address<T>()},
                dy.address<T>());
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
