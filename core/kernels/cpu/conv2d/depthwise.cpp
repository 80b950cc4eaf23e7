#include <algorithm>
#include <type_traits>
#include <utility>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Taps in a row for which there are instances.
constexpr int kMostTaps = 7;

/// Filters of a block of channels, [taps][lanes].
template <class T>
class Taps {
 public:
  explicit Taps(const Conv2dProblem& problem)
      : count_(problem.taps()), lanes_(count_ * kLaneCount<T>, T{0}) {}
  void load(const T* weight, int64_t channels, bool flipped) const {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < count_; ++tap)
        (*this)[flipped ? count_ - 1 - tap : tap][c] = weight[c * count_ + tap];
  }
  void store(int64_t channels, T* weight) const {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < count_; ++tap) weight[c * count_ + tap] = (*this)[tap][c];
  }
  T* operator[](int64_t tap) const { return lanes_.data() + tap * kLaneCount<T>; }

 private:
  int64_t count_;
  Scratch<T> lanes_;
};

/// Calls f(column, count) for the columns of a row, eight at a time and the rest one by one; count
/// is a compile-time constant.
template <class F>
inline void for_each_column(int64_t columns, F&& f) {
  constexpr int kTile = 8;
  int64_t column = 0;
  for (; column + kTile <= columns; column += kTile)
    f(column, std::integral_constant<int, kTile>());
  for (; column < columns; ++column) f(column, std::integral_constant<int, 1>());
}

/// y = bias + Σ taps.
template <class T>
void convolve(const Conv2dProblem& problem, const LanesWindow<T>& x, const Taps<T>& taps,
              const Lanes<T>& bias, const LanesWindow<T>& y) {
  const Window& w = problem.window;
  for (int64_t i = 0; i < problem.output.h; ++i)
    for_each_column(problem.output.w, [&](int64_t j, auto count) {
      Lanes<T> sums[count];
      for (int q = 0; q < count; ++q) sums[q] = bias;
      for (int64_t kh = 0, tap = 0; kh < w.kernel.h; ++kh)
        for (int64_t kw = 0; kw < w.kernel.w; ++kw, ++tap) {
          const Lanes<T> weight = load_lanes<T>(taps[tap]);
          const T* from =
              x.at(i * w.stride.h + kh * w.dilation.h, j * w.stride.w + kw * w.dilation.w);
          for (int q = 0; q < count; ++q)
            sums[q] += load_lanes(from + q * w.stride.w * kLaneCount<T>) * weight;
        }
      for (int q = 0; q < count; ++q) store_lanes<T>(y.at(i, j + q), sums[q]);
    });
}

/// The gradient of x, which must be zero before, from y's.
template <class T>
void spread(const Conv2dProblem& problem, const LanesWindow<T>& dy, const Taps<T>& taps,
            const LanesWindow<T>& dx) {
  const Window& w = problem.window;
  for (int64_t i = 0; i < problem.output.h; ++i)
    for (int64_t kh = 0; kh < w.kernel.h; ++kh)
      for (int64_t j = 0; j < problem.output.w; ++j) {
        const Lanes<T> dys = load_lanes<T>(dy.at(i, j));
        for (int64_t kw = 0; kw < w.kernel.w; ++kw) {
          T* to = dx.at(i * w.stride.h + kh * w.dilation.h, j * w.stride.w + kw * w.dilation.w);
          store_lanes<T>(to, load_lanes<T>(to) + dys * load_lanes<T>(taps[kh * w.kernel.w + kw]));
        }
      }
}

/// Adds to the filters' gradient: kernel rows of kTaps taps, pixels in kChains chains of sums.
/// Fetches a part of what is next with every row.
template <int kTaps, class T>
void correlate(const Conv2dProblem& problem, const LanesWindow<T>& x, const LanesWindow<T>& dy,
               const Taps<T>& dtaps, PartsAhead next_x, PartsAhead next_dy) {
  constexpr int kChains = 4;
  const Window& w = problem.window;
  for (int64_t kh = 0; kh < w.kernel.h; ++kh) {
    Lanes<T> sums[kChains][kTaps] = {};
    for (int64_t i = 0; i < problem.output.h; ++i) {
      next_x.step();
      next_dy.step();
      const auto add = [&](int64_t j, Lanes<T>(&chain)[kTaps]) {
        const Lanes<T> dys = load_lanes<T>(dy.at(i, j));
        const T* from = x.at(i * w.stride.h + kh * w.dilation.h, j * w.stride.w);
#pragma GCC unroll 8
        for (int kw = 0; kw < kTaps; ++kw)
          chain[kw] += load_lanes(from + kw * w.dilation.w * kLaneCount<T>) * dys;
      };
      int64_t j = 0;
      for (; j + kChains <= problem.output.w; j += kChains)
#pragma GCC unroll 8
        for (int chain = 0; chain < kChains; ++chain) add(j + chain, sums[chain]);
      for (; j < problem.output.w; ++j) add(j, sums[0]);
    }
#pragma GCC unroll 8
    for (int kw = 0; kw < kTaps; ++kw) {
      T* to = dtaps[kh * kTaps + kw];
      store_lanes<T>(
          to, load_lanes<T>(to) + ((sums[0][kw] + sums[1][kw]) + (sums[2][kw] + sums[3][kw])));
    }
  }
}

/// The image with its padding.
template <class T>
OwnedWindow<T> padded_window(const Conv2dProblem& problem) {
  const Size2 padding = problem.window.padding;
  return {{-padding.h, -padding.w}, problem.padded()};
}

/// Units of work: one block of channels of one image.
template <class T>
int64_t units_at_once(const Conv2dProblem& problem) {
  return units_per_block(problem.multiplications() * kLaneCount<T>);
}

/// y = bias + x convolved with each channel's filter, `flipped` or not.
template <class T>
void convolve_all(const Conv2dProblem& problem, const T* x_data, const T* weight, bool flipped,
                  const T* bias, T* y_data) {
  const ChannelBlocks<const T> x{x_data, problem.in_channels, problem.image};
  const ChannelBlocks<T> y{y_data, problem.in_channels, problem.output};
  const int64_t units = problem.images * x.count();
  parallel_for(units, units_at_once<T>(problem), [&](int64_t begin, int64_t end) {
    const OwnedWindow<T> in = padded_window<T>(problem), out(0, problem.output);
    const Taps<T> taps(problem);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / x.count(), block = unit % x.count();
      const int64_t first = block * kLaneCount<T>, channels = x.channels_in(block);
      taps.load(weight + first * problem.taps(), channels, flipped);
      x.load(image, block, in);
      convolve(problem, in, taps, bias ? load_lanes(bias + first, channels, T{0}) : Lanes<T>{},
               out);
      y.store(image, block, out);
    }
  });
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  convolve_all(problem, x, weight, false, bias, y);
}

/// With stride 1 dx is a convolution of dy by the filters flipped, unless it leaves out some of dy.
template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy_data, T* dx_data) {
  const Size2 span = problem.window.span(), padding = problem.window.padding;
  if (problem.window.stride == 1 && padding.h < span.h && padding.w < span.w) {
    Conv2dProblem back = problem;
    std::swap(back.image, back.output);
    back.window.padding = {span.h - 1 - padding.h, span.w - 1 - padding.w};
    return convolve_all<T>(back, dy_data, weight, true, nullptr, dx_data);
  }
  const ChannelBlocks<const T> dy{dy_data, problem.in_channels, problem.output};
  const ChannelBlocks<T> dx{dx_data, problem.in_channels, problem.image};
  parallel_for(
      problem.images * dx.count(), units_at_once<T>(problem), [&](int64_t begin, int64_t end) {
        const OwnedWindow<T> in(0, problem.output), out = padded_window<T>(problem);
        const Taps<T> taps(problem);
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t image = unit / dx.count(), block = unit % dx.count();
          taps.load(weight + block * kLaneCount<T> * problem.taps(), dx.channels_in(block), false);
          dy.load(image, block, in);
          std::fill_n(out.data, out.size(), T{0});
          spread(problem, in, taps, out);
          dx.store(image, block, out);
        }
      });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x_data, const T* dy_data, T* dweight) {
  const ChannelBlocks<const T> x{x_data, problem.in_channels, problem.image};
  const ChannelBlocks<const T> dy{dy_data, problem.in_channels, problem.output};
  const auto part_of = [&](const ChannelBlocks<const T>& next, int64_t image, int64_t block) {
    return PartsAhead(next.planes(image, block), next.size.area() * kLaneCount<T>,
                      problem.window.kernel.h * problem.output.h);
  };
  sum_over_images(
      problem.images, x.count(), problem.out_channels * problem.taps(), dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        const OwnedWindow<T> in = padded_window<T>(problem), dys(0, problem.output);
        for (int64_t block = begin; block < end; ++block) {
          const Taps<T> sums(problem);
          for (int64_t image = first_image; image < end_image; ++image) {
            const int64_t next = std::min(image + 1, end_image - 1);
            x.load(image, block, in);
            dy.load(image, block, dys);
            with_constant<kMostTaps>(problem.window.kernel.w, [&](auto taps) {
              correlate<taps>(problem, in, dys, sums, part_of(x, next, block),
                              part_of(dy, next, block));
            });
          }
          sums.store(x.channels_in(block), partial + block * kLaneCount<T> * problem.taps());
        }
      });
}

bool is_possible(const Conv2dProblem& problem, DType) {
  constexpr int64_t kMostPixels = 1 << 16;  // of a padded image in lanes: 4 MiB
  const Size2 padded{problem.image.h + 2 * problem.window.padding.h,
                     problem.image.w + 2 * problem.window.padding.w};
  return problem.group_in() == 1 && problem.group_out() == 1 &&
         problem.window.kernel.w <= kMostTaps && padded.area() <= kMostPixels;
}

}  // namespace

const Method kDepthwise{"depthwise",
                        is_possible,
                        {forward<float>, backward_data<float>, backward_weight<float>},
                        {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
