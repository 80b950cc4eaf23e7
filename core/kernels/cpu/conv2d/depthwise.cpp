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

/// Images seen as blocks of channels, as many as there are lanes, the last one perhaps with fewer.
template <class T>
struct ChannelBlocks {
  T* data;
  int64_t channels;
  Size2 size;

  int64_t count() const { return blocks_of(channels, kLaneCount<T>); }
  int64_t channels_in(int64_t block) const {
    return std::min<int64_t>(kLaneCount<T>, channels - block * kLaneCount<T>);
  }
  T* planes(int64_t image, int64_t block) const {
    return data + (image * channels + block * kLaneCount<T>)*size.area();
  }
};

/// A window of one block of one image, in memory of its own.
template <class T>
class Pixels {
 public:
  /// From `first` on, `size` pixels.
  Pixels(Size2 first, Size2 size)
      : scratch_(size.area() * kLaneCount<T>),
        window{scratch_.data(), first.h, first.w, size.h, size.w} {}

 private:
  Scratch<T> scratch_;

 public:
  const LanesWindow<T> window;
};

template <class T>
Pixels<T> padded_pixels(const Conv2dProblem& problem) {
  const Size2 padding = problem.window.padding;
  return {{-padding.h, -padding.w}, problem.padded()};
}

template <class T>
Pixels<T> output_pixels(const Conv2dProblem& problem) {
  return {{0, 0}, problem.output};
}

/// Filters of a block of channels, [taps][lanes].
template <class T>
class Taps {
 public:
  explicit Taps(const Conv2dProblem& problem)
      : count_(problem.taps()), scratch_(count_ * kLaneCount<T>), data_(scratch_.data()) {
    std::fill_n(data_, count_ * kLaneCount<T>, T{0});
  }
  void load(const T* weight, int64_t channels, bool flipped = false) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < count_; ++tap)
        data_[tap * kLaneCount<T> + c] = weight[c * count_ + (flipped ? count_ - 1 - tap : tap)];
  }
  void store(int64_t channels, T* weight) const {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < count_; ++tap)
        weight[c * count_ + tap] = data_[tap * kLaneCount<T> + c];
  }
  T* operator[](int64_t tap) const { return data_ + tap * kLaneCount<T>; }

 private:
  int64_t count_;
  Scratch<T> scratch_;
  T* data_;
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
        for (int kw = 0; kw < kTaps; ++kw)
          chain[kw] += load_lanes(from + kw * w.dilation.w * kLaneCount<T>) * dys;
      };
      int64_t j = 0;
      for (; j + kChains <= problem.output.w; j += kChains)
        for (int chain = 0; chain < kChains; ++chain) add(j + chain, sums[chain]);
      for (; j < problem.output.w; ++j) add(j, sums[0]);
    }
    for (int kw = 0; kw < kTaps; ++kw) {
      T* to = dtaps[kh * kTaps + kw];
      store_lanes<T>(
          to, load_lanes<T>(to) + ((sums[0][kw] + sums[1][kw]) + (sums[2][kw] + sums[3][kw])));
    }
  }
}

/// f(first unit, end) for blocks of units of one block of channels of one image each, block of
/// channels by block of channels.
template <class T, class F>
void for_each_block(const Conv2dProblem& problem, int64_t blocks, F&& f) {
  parallel_for(problem.images * blocks, units_per_block(problem.multiplications() * kLaneCount<T>),
               f);
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x_data, const T* weight, const T* bias,
             T* y_data) {
  const ChannelBlocks<const T> x{x_data, problem.in_channels, problem.image};
  const ChannelBlocks<T> y{y_data, problem.in_channels, problem.output};
  for_each_block<T>(problem, x.count(), [&](int64_t begin, int64_t end) {
    const Pixels<T> in = padded_pixels<T>(problem), out = output_pixels<T>(problem);
    Taps<T> taps(problem);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / x.count(), block = unit % x.count();
      const int64_t first = block * kLaneCount<T>, channels = x.channels_in(block);
      taps.load(weight + first * problem.taps(), channels);
      channels_to_lanes(x.planes(image, block), channels, x.size, in.window);
      convolve(problem, in.window, taps,
               bias ? load_lanes(bias + first, channels, T{0}) : Lanes<T>{}, out.window);
      lanes_to_channels(out.window, y.size, channels, y.planes(image, block));
    }
  });
}

/// With stride 1 dx is a convolution of dy by the filters flipped.
Conv2dProblem flipped(const Conv2dProblem& problem) {
  Conv2dProblem back = problem;
  std::swap(back.image, back.output);
  const Size2 span = problem.window.span();
  back.window.padding = {span.h - 1 - problem.window.padding.h,
                         span.w - 1 - problem.window.padding.w};
  return back;
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy_data, T* dx_data) {
  const ChannelBlocks<const T> dy{dy_data, problem.in_channels, problem.output};
  const ChannelBlocks<T> dx{dx_data, problem.in_channels, problem.image};
  const Conv2dProblem back = flipped(problem);
  const bool by_convolution =
      problem.window.stride == 1 && back.window.padding.h >= 0 && back.window.padding.w >= 0;
  for_each_block<T>(problem, dx.count(), [&](int64_t begin, int64_t end) {
    const Pixels<T> in = by_convolution ? padded_pixels<T>(back) : output_pixels<T>(problem);
    const Pixels<T> out = by_convolution ? output_pixels<T>(back) : padded_pixels<T>(problem);
    Taps<T> taps(problem);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / dx.count(), block = unit % dx.count();
      const int64_t channels = dx.channels_in(block);
      taps.load(weight + block * kLaneCount<T> * problem.taps(), channels, by_convolution);
      channels_to_lanes(dy.planes(image, block), channels, dy.size, in.window);
      if (by_convolution) {
        convolve(back, in.window, taps, Lanes<T>{}, out.window);
      } else {
        std::fill_n(out.window.data, out.window.size(), T{0});
        spread(problem, in.window, taps, out.window);
      }
      lanes_to_channels(out.window, dx.size, channels, dx.planes(image, block));
    }
  });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x_data, const T* dy_data, T* dweight) {
  const ChannelBlocks<const T> x{x_data, problem.in_channels, problem.image};
  const ChannelBlocks<const T> dy{dy_data, problem.in_channels, problem.output};
  sum_over_images(
      problem.images, x.count(), problem.out_channels * problem.taps(), dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        const Pixels<T> in = padded_pixels<T>(problem), dys = output_pixels<T>(problem);
        for (int64_t block = begin; block < end; ++block) {
          const Taps<T> sums(problem);
          const int64_t channels = x.channels_in(block);
          const int64_t rows = problem.window.kernel.h * problem.output.h;
          for (int64_t image = first_image; image < end_image; ++image) {
            const int64_t next = std::min(image + 1, end_image - 1);
            channels_to_lanes(x.planes(image, block), channels, x.size, in.window);
            channels_to_lanes(dy.planes(image, block), channels, dy.size, dys.window);
            with_constant<kMostTaps>(problem.window.kernel.w, [&](auto taps) {
              correlate<taps.value>(
                  problem, in.window, dys.window, sums,
                  PartsAhead(x.planes(next, block), x.size.area() * kLaneCount<T>, rows),
                  PartsAhead(dy.planes(next, block), dy.size.area() * kLaneCount<T>, rows));
            });
          }
          sums.store(channels, partial + block * kLaneCount<T> * problem.taps());
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
