#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>
#include <pade/core/text_stream.h>

namespace pade::cpu {
namespace {

/// Where a method is worth its while, among those that are possible. The figures are milliseconds
/// for 128 images on two threads of an AMD EPYC with AVX-512, before the method and with it.
using Rule = bool (*)(const Conv2dProblem& problem, DType dtype, Pass pass);

/// Fewer channels do not pay for the transforms. Forward, to x and to the weights, 64 channels at
/// 32×32: 46, 46, 46 with filters in lanes → 16.7, 15.9, 21.
bool winograd_pays(const Conv2dProblem& problem, DType dtype, Pass) {
  constexpr int64_t kFewest = 16;
  return dtype == DType::float32 && problem.winograd_allowed && problem.in_channels >= kFewest &&
         problem.out_channels >= kFewest;
}

/// Planes beyond a first-level cache are not worth the copy, and on very small ones the gradients
/// of many taps take longer than the pixels. 144 channels at 32×32: 9.9 → 5.6 forward and to
/// x, 12.9 → 10.7 to the weights; 192 at 16×16 3.9 → 1.7. MobileNetV2's step 1040 → 850.
bool depthwise_same_size_pays(const Conv2dProblem& problem, DType, Pass pass) {
  constexpr int64_t kMostPixels = 2048, kFewPixels = 64, kFewTaps = 9;
  return problem.image.area() <= kMostPixels &&
         (pass != Pass::backward_weight || problem.taps() <= kFewTaps ||
          problem.image.area() >= kFewPixels);
}

/// Lanes without a channel cost as much as those with one, and three taps in long rows are no
/// slower by the direct method. Forward, to x and to the weights: 144 channels at 32×32, stride
/// 2, 11.7, 7.8, 21.9 → 4.6, 8.6, 5.0; 960 at 4×4 4.0, 2.9, 3.5 → 1.3, 1.5, 2.0.
bool depthwise_pays(const Conv2dProblem& problem, DType dtype, Pass) {
  constexpr int64_t kLongRow = 16, kFewTaps = 3;
  const int64_t lanes = kLaneBytes / static_cast<int64_t>(size_of(dtype));
  const bool long_rows = problem.window.stride == 1 && problem.window.kernel.w <= kFewTaps &&
                         problem.output.w >= kLongRow;
  return 2 * problem.in_channels >= lanes && !long_rows;
}

/// Always, beside OpenBLAS image by image. Forward and to x: 24 to 144 channels at 32×32 7.5, 10.4
/// → 4.9, 8.3; to the weights, 144 to 24 10.9 → 7.4, 960 to 160 at 4×4 5.0 → 4.0.
bool always(const Conv2dProblem&, DType, Pass) { return true; }

/// With more channels than that, filters in lanes are ahead. LeNet's first layer, on one thread:
/// 0.73 → 0.55 forward.
bool batch_blocked_pays(const Conv2dProblem& problem, DType, Pass) {
  constexpr int64_t kMostChannels = 16;
  return std::max(problem.group_in(), problem.group_out()) <= kMostChannels;
}

/// Where an image has few pixels, or the filters do not stay in the caches while its pixels go by,
/// unfolding is ahead; the gradient of the filters is larger by the sums it takes. Few lanes may
/// stay empty. 64 to 128 channels at 32×32, stride 2: 33, 33, 40 → 27, 25, 27.
bool channel_blocked_pays(const Conv2dProblem& problem, DType dtype, Pass pass) {
  constexpr int64_t kEnoughPixels = 64;
  const int64_t most_bytes = pass == Pass::backward_weight ? 1 << 20 : 3 << 20;
  const int64_t element = static_cast<int64_t>(size_of(dtype)), lanes = kLaneBytes / element;
  const int64_t used = pass == Pass::backward_data ? problem.in_channels : problem.out_channels;
  return 4 * used >= 3 * blocks_of(used, lanes) * lanes && problem.output.area() >= kEnoughPixels &&
         problem.out_channels * problem.terms() * element <= most_bytes;
}

/// Where a matrix would be tall and thin, as unfolding then costs much beside multiplying: groups,
/// and batches that leave lanes empty. The gradient of the weights adds up its lanes at the end,
/// for which there must be more to do. Unfolding takes 2.4, 2.4 and 1.5 times as long for 32
/// channels in 4 groups at 32×32 and 2.5, 3.3 and 1.4 times for 128 in 32 groups at 14×14 (8
/// images, one thread), 2.3, 1.2 and 2.5 times for LeNet's first layer; filters in lanes 2.8, 6.1
/// and 1.4 times there.
bool direct_pays(const Conv2dProblem& problem, DType, Pass pass) {
  const bool few_channels =
      problem.group_in() <= 4 || (problem.group_in() <= 32 && problem.taps() > 1);
  return few_channels &&
         (pass != Pass::backward_weight || problem.group_in() <= 4 || problem.output.area() >= 96);
}

/// The first that is possible and pays is taken.
constexpr std::pair<const Method*, Rule> kMethods[] = {
    {&kWinograd, winograd_pays},
    {&kDepthwiseSameSize, depthwise_same_size_pays},
    {&kDepthwise, depthwise_pays},
    {&kPointwise, always},
    {&kBatchBlocked, batch_blocked_pays},
    {&kChannelBlocked, channel_blocked_pays},
    {&kDirect, direct_pays},
    {&kIm2col, always},
};

const Method& choose_method(const Conv2dProblem& problem, DType dtype, Pass pass) {
  return *std::find_if(std::begin(kMethods), std::end(kMethods), [&](const auto& entry) {
            const auto [method, pays] = entry;
            return method->is_possible(problem, dtype) && pays(problem, dtype, pass);
          })->first;
}

/// Prints the line to stderr, unless it has been printed before.
void print_once(const std::string& line) {
  static std::mutex mutex;
  static std::set<std::string>& printed = *new std::set<std::string>;
  const std::lock_guard lock(mutex);
  if (printed.insert(line).second) std::cerr << line + '\n';
}

const Method& method_of(const Conv2dProblem& problem, DType dtype, Pass pass) {
  static const char* const verbose = std::getenv("PADE_VERBOSE");
  if (verbose && std::string_view(verbose) == "conv2d")
    print_once(describe_method(problem, dtype, pass));
  return choose_method(problem, dtype, pass);
}

/// f(passes of the dtype).
template <class F>
void with_passes(const Method& method, DType dtype, F&& f) {
  if (dtype == DType::float32)
    f(method.f32);
  else
    f(method.f64);
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
  dispatch_floating(dy.dtype(), "conv2d", [&]<class T>(T) {
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

void Method::forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
                     const Tensor& bias, Tensor& y) const {
  with_passes(*this, x.dtype(), [&]<class T>(const Passes<T>& passes) {
    passes.forward(problem, x.data<T>(), weight.data<T>(),
                   bias.defined() ? bias.data<T>() : nullptr, y.mutable_data<T>());
  });
}

void Method::backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                           Tensor& dx) const {
  with_passes(*this, dy.dtype(), [&]<class T>(const Passes<T>& passes) {
    passes.backward_data(problem, weight.data<T>(), dy.data<T>(), dx.mutable_data<T>());
  });
}

void Method::backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                             Tensor& dweight) const {
  with_passes(*this, dy.dtype(), [&]<class T>(const Passes<T>& passes) {
    passes.backward_weight(problem, x.data<T>(), dy.data<T>(), dweight.mutable_data<T>());
  });
}

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
