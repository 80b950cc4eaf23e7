#include <vector>

#include <pade/core/lanes.h>
#include <pade/core/ops/conv2d.h>
#include <pade/core/ops/conv2d_kernels.h>
#include <pade/core/ops/reduce_loops.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Measured: the direct method is ahead where a matrix would be tall and thin, as the cost of
/// laying it out is then large beside that of multiplying; a 1×1 kernel's need not be laid out at
/// all, and its images are multiplied as they are.
bool has_few_channels(const Conv2dProblem& problem) {
  return problem.group_in() <= 4 || (problem.group_in() <= 32 && problem.taps() > 1);
}

/// The direct method adds up its results' lanes at the end, for which there must be more to do.
bool has_many_pixels(const Conv2dProblem& problem) {
  return problem.group_in() <= 4 || problem.output.area() >= 96;
}

/// Measured: fewer channels do not pay for the transforms.
bool takes_winograd(const Conv2dProblem& problem, DType dtype) {
  constexpr int64_t kFewest = 16;
  return dtype == DType::float32 && winograd_allowed() && winograd::is_possible(problem) &&
         problem.in_channels >= kFewest && problem.out_channels >= kFewest;
}

/// Lanes without a channel cost as much as those with one. Measured: three taps in long rows are no
/// slower by the direct method.
bool takes_depthwise(const Conv2dProblem& problem, DType dtype) {
  constexpr int64_t kLongRow = 16, kFewTaps = 3;
  const int64_t lanes = kLaneBytes / static_cast<int64_t>(size_of(dtype));
  const bool long_rows = problem.window.stride == 1 && problem.window.kernel.w <= kFewTaps &&
                         problem.output.w >= kLongRow;
  return depthwise::is_possible(problem) && 2 * problem.in_channels >= lanes && !long_rows;
}

}  // namespace

void conv2d_forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y) {
  const auto method = takes_winograd(problem, x.dtype())    ? winograd::forward
                      : takes_depthwise(problem, x.dtype()) ? depthwise::forward
                      : pointwise::is_possible(problem)     ? pointwise::forward
                      : has_few_channels(problem)           ? direct::forward
                                                            : im2col::forward;
  method(problem, x, weight, bias, y);
}

void conv2d_backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                          Tensor& dx) {
  const auto method = takes_winograd(problem, dy.dtype())    ? winograd::backward_data
                      : takes_depthwise(problem, dy.dtype()) ? depthwise::backward_data
                      : pointwise::is_possible(problem)      ? pointwise::backward_data
                      : has_few_channels(problem)            ? direct::backward_data
                                                             : im2col::backward_data;
  method(problem, weight, dy, dx);
}

void conv2d_backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                            Tensor& dweight) {
  const auto method = takes_winograd(problem, dy.dtype())    ? winograd::backward_weight
                      : takes_depthwise(problem, dy.dtype()) ? depthwise::backward_weight
                      : pointwise::is_possible(problem)      ? pointwise::backward_weight
                      : has_few_channels(problem) && has_many_pixels(problem)
                          ? direct::backward_weight
                          : im2col::backward_weight;
  method(problem, x, dy, dweight);
}

void conv2d_backward_bias(const Tensor& dy, Tensor& dbias) {
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const int64_t channels = dy.extent(1), pixels = dy.shape().size_from(2);
    const T* from = dy.data<T>();
    std::vector<double> sums(dy.extent(0) * channels);
    const int64_t planes_per_block = std::max<int64_t>(1, kElementBlock / pixels);
    parallel_for(dy.extent(0) * channels, planes_per_block, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) Sum<T>::add_run(sums[i], from + i * pixels, 0, pixels);
    });
    std::vector<double> totals(channels, 0);
    for (size_t i = 0; i < sums.size(); ++i) totals[i % channels] += sums[i];
    std::copy(totals.begin(), totals.end(), dbias.mutable_data<T>());
  });
}

}  // namespace pade::cpu
