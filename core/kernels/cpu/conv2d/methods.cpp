#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>
#include <pade/core/text_stream.h>
#include <pade/core/verbose.h>

namespace pade::cpu {
namespace {

/// Of the methods for what is left: measured, the direct one is ahead where a matrix would be tall
/// and thin, as the cost of laying it out is then large beside that of multiplying; a 1×1 kernel's
/// need not be laid out at all, and its images are multiplied as they are.
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
  return dtype == DType::float32 && problem.winograd_allowed && winograd::is_possible(problem) &&
         problem.in_channels >= kFewest && problem.out_channels >= kFewest;
}

/// Measured: planes beyond a first-level cache are not worth the copy, and on very small ones the
/// gradients of many taps take longer than the pixels.
bool takes_depthwise_same_size(const Conv2dProblem& problem, Pass pass) {
  constexpr int64_t kMostPixels = 2048, kFewPixels = 64, kFewTaps = 9;
  return depthwise_same_size::is_possible(problem) && problem.image.area() <= kMostPixels &&
         (pass != Pass::backward_weight || problem.taps() <= kFewTaps ||
          problem.image.area() >= kFewPixels);
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

/// Measured: with more channels than that, filters in lanes are ahead.
bool takes_batch_blocked(const Conv2dProblem& problem, DType dtype) {
  constexpr int64_t kMostChannels = 16;
  return std::max(problem.group_in(), problem.group_out()) <= kMostChannels &&
         batch_blocked::is_possible(problem, dtype);
}

/// Measured: where an image has few pixels, or the filters do not stay in the caches while its
/// pixels go by, laying out a matrix is ahead; the gradient of the filters is larger by the sums it
/// takes. Few lanes may stay empty.
bool takes_channel_blocked(const Conv2dProblem& problem, DType dtype, Pass pass) {
  constexpr int64_t kEnoughPixels = 64;
  const int64_t most_bytes = pass == Pass::backward_weight ? 1 << 20 : 3 << 20;
  const int64_t element = static_cast<int64_t>(size_of(dtype)), lanes = kLaneBytes / element;
  const int64_t used = pass == Pass::backward_data ? problem.in_channels : problem.out_channels;
  return problem.groups == 1 && 4 * used >= 3 * blocks_of(used, lanes) * lanes &&
         problem.output.area() >= kEnoughPixels &&
         problem.out_channels * problem.terms() * element <= most_bytes;
}

struct Method {
  const char* name;
  decltype(&direct::forward) forward;
  decltype(&direct::backward_data) backward_data;
  decltype(&direct::backward_weight) backward_weight;
};

Method choose_method(const Conv2dProblem& problem, DType dtype, Pass pass) {
  if (takes_winograd(problem, dtype))
    return {"winograd", winograd::forward, winograd::backward_data, winograd::backward_weight};
  if (takes_depthwise_same_size(problem, pass))
    return {"depthwise_same_size", depthwise_same_size::forward, depthwise_same_size::backward_data,
            depthwise_same_size::backward_weight};
  if (takes_depthwise(problem, dtype))
    return {"depthwise", depthwise::forward, depthwise::backward_data, depthwise::backward_weight};
  if (pointwise::is_possible(problem))
    return {"pointwise", pointwise::forward, pointwise::backward_data, pointwise::backward_weight};
  if (takes_batch_blocked(problem, dtype))
    return {"batch_blocked", batch_blocked::forward, batch_blocked::backward_data,
            batch_blocked::backward_weight};
  if (takes_channel_blocked(problem, dtype, pass))
    return {"channel_blocked", channel_blocked::forward, channel_blocked::backward_data,
            channel_blocked::backward_weight};
  if (has_few_channels(problem) && (pass != Pass::backward_weight || has_many_pixels(problem)))
    return {"direct", direct::forward, direct::backward_data, direct::backward_weight};
  return {"im2col", im2col::forward, im2col::backward_data, im2col::backward_weight};
}

Method method_of(const Conv2dProblem& problem, DType dtype, Pass pass) {
  static const bool verbose = is_verbose("conv2d");
  if (verbose) print_once(describe_method(problem, dtype, pass));
  return choose_method(problem, dtype, pass);
}

/// One number where both are the same.
std::string text_of(const Size2& size) {
  TextStream text;
  size.h == size.w ? text << size.h : text << size;
  return text.str();
}

void conv2d_forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                    const Tensor& bias, Tensor& y) {
  method_of(problem, x.dtype(), Pass::forward).forward(problem, x, weight, bias, y);
}

void conv2d_backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                          Tensor& dx) {
  method_of(problem, dy.dtype(), Pass::backward_data).backward_data(problem, weight, dy, dx);
}

void conv2d_backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                            Tensor& dweight) {
  method_of(problem, dy.dtype(), Pass::backward_weight).backward_weight(problem, x, dy, dweight);
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

}  // namespace

std::string describe_method(const Conv2dProblem& p, DType dtype, Pass pass) {
  constexpr const char* kPasses[] = {"forward", "backward to x", "backward to weight"};
  TextStream line;
  line << "conv2d " << kPasses[static_cast<int>(pass)] << ", x "
       << Shape{p.images, p.in_channels, p.image.h, p.image.w} << ", weight "
       << Shape{p.out_channels, p.group_in(), p.window.kernel.h, p.window.kernel.w} << ", stride "
       << text_of(p.window.stride) << ", padding " << text_of(p.window.padding);
  if (p.window.dilation != 1) line << ", dilation " << text_of(p.window.dilation);
  if (p.groups != 1) line << ", groups " << p.groups;
  if (dtype != DType::float32) line << ", " << dtype;
  line << ": " << choose_method(p, dtype, pass).name;
  return line.str();
}

void add_conv2d(Kernels& kernels) {
  kernels.conv2d_forward = conv2d_forward;
  kernels.conv2d_backward_data = conv2d_backward_data;
  kernels.conv2d_backward_weight = conv2d_backward_weight;
  kernels.conv2d_backward_bias = conv2d_backward_bias;
}

}  // namespace pade::cpu
