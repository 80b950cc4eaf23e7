#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/tap_runs.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/kernels/cpu/transpose.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Results that stay in registers: pixels times channels, and taps times channels.
constexpr int kMostResults = 6 * kTileVectors;
constexpr int kMostChannels = 2 * kTileVectors;
constexpr int kMostPixels = 4;
constexpr int kMostTaps = 5;

constexpr int pixels_beside(int channels) { return std::min(kMostPixels, kMostResults / channels); }
constexpr int channels_beside(int taps) { return std::min(kMostChannels, kMostResults / taps); }

/// `channels` planes of as many images as there are lanes, one image to a lane:
/// [channel][row][column][lanes]. `margin` columns of zeros left and right.
template <class T>
class LaneImages {
 public:
  LaneImages(int64_t channels, Size2 size, int64_t margin = 0)
      : tall_{channels * size.h, size.w},
        columns(size.w + 2 * margin),
        plane(size.h * columns * kLaneCount<T>),
        scratch_(channels * plane),
        window_{scratch_.data(), 0, -margin, tall_.h, columns} {}

  /// From and to image number `first` and those after it.
  void load(const T* tensor, int64_t first, int64_t images) {
    channels_to_lanes(tensor + first * tall_.area(), images, tall_, window_);
  }
  void store(T* tensor, int64_t first, int64_t images) const {
    lanes_to_channels(window_, tall_, images, tensor + first * tall_.area());
  }
  T* channel(int64_t c) { return scratch_.data() + c * plane; }

 private:
  Size2 tall_;  // all channels' rows, one below the other

 public:
  const int64_t columns, plane;

 private:
  Scratch<T> scratch_;
  LanesWindow<T> window_;
};

/// f(first image, images) for blocks [begin, end) of as many images as there are lanes.
template <class T, class F>
void for_each_block(int64_t images, int64_t begin, int64_t end, F&& f) {
  for (int64_t block = begin; block < end; ++block) {
    const int64_t first = block * kLaneCount<T>;
    f(first, std::min<int64_t>(kLaneCount<T>, images - first));
  }
}

// ---- Sums over taps: the forward pass, and the gradient of the image
// -------------------------------

/// A convolution of either direction: the results' channels and size, the source's, and which taps
/// each row and column of the results has.
struct Gathering {
  int64_t from_channels, to_channels;  // of a group
  Size2 from, to, kernel;
  std::vector<std::vector<Tap>> rows, columns;
};

Gathering forward_gathering(const Conv2dProblem& p) {
  const Window& w = p.window;
  return {p.group_in(),
          p.group_out(),
          p.image,
          p.output,
          w.kernel,
          forward_taps(p.image.h, p.output.h, w.kernel.h, w.stride.h, w.padding.h, w.dilation.h),
          forward_taps(p.image.w, p.output.w, w.kernel.w, w.stride.w, w.padding.w, w.dilation.w)};
}

Gathering backward_gathering(const Conv2dProblem& p) {
  const Gathering forward = forward_gathering(p);
  return {p.group_out(),
          p.group_in(),
          p.output,
          p.image,
          p.window.kernel,
          backward_taps(forward.rows, p.image.h),
          backward_taps(forward.columns, p.image.w)};
}

/// Weights in the order in which they are read: of each group, and of each tile of its channels,
/// [tap row][tap column][source channel][channels of the tile].
template <class T>
class TiledWeights {
 public:
  /// weight(g, to, from, tap): of one group.
  template <class F>
  TiledWeights(const Gathering& gathering, int64_t groups, F&& weight)
      : channels_(gathering.to_channels),
        terms_(gathering.from_channels * gathering.kernel.area()),
        weights_(groups * channels_ * terms_) {
    T* next = weights_.data();
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t first = 0, count; first < channels_; first += count) {
        count = first_tile(channels_ - first, kMostChannels);
        for (int64_t tap = 0; tap < gathering.kernel.area(); ++tap)
          for (int64_t from = 0; from < gathering.from_channels; ++from)
            for (int64_t to = first; to < first + count; ++to) *next++ = weight(g, to, from, tap);
      }
  }
  const T* of(int64_t group, int64_t first_channel) const {
    return weights_.data() + (group * channels_ + first_channel) * terms_;
  }

 private:
  int64_t channels_, terms_;
  std::vector<T> weights_;
};

/// Where one tile of results is computed from, and to.
template <class T>
struct GatherTile {
  const T* in;
  int64_t in_channels, in_plane, in_row;
  const T* weights;
  Size2 kernel;
  const T* start;  // per channel; may be null: zeros
  T* out;
  int64_t out_plane;
};

template <int kPixels, int kChannels, class T>
void gather_tile(const GatherTile<T>& tile, const std::vector<Tap>& rows,
                 const std::vector<Tap>& columns, int64_t step) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sums[kPixels][kChannels];
  for (int c = 0; c < kChannels; ++c)
    for (int p = 0; p < kPixels; ++p) sums[p][c] = Lanes<T>{} + (tile.start ? tile.start[c] : T{0});
  for (const Tap& row : rows)
    for (const Tap& column : columns) {
      const T* in = tile.in + row.at * tile.in_row + column.at * kLanes;
      const T* weight =
          tile.weights + (row.k * tile.kernel.w + column.k) * tile.in_channels * kChannels;
      for (int64_t from = 0; from < tile.in_channels; ++from) {
        Lanes<T> pixels[kPixels];
        for (int p = 0; p < kPixels; ++p) pixels[p] = load_lanes(in + p * step * kLanes);
        for (int c = 0; c < kChannels; ++c)
          for (int p = 0; p < kPixels; ++p) sums[p][c] += weight[c] * pixels[p];
        in += tile.in_plane;
        weight += kChannels;
      }
    }
  for (int c = 0; c < kChannels; ++c)
    for (int p = 0; p < kPixels; ++p)
      store_lanes<T>(tile.out + c * tile.out_plane + p * kLanes, sums[p][c]);
}

/// All pixels of some channels.
template <int kChannels, class T>
void gather_channels(GatherTile<T> tile, const Gathering& gathering,
                     const std::vector<TapRun>& runs) {
  T* const out = tile.out;
  for (int64_t row = 0; row < gathering.to.h; ++row)
    for (const TapRun& run : runs)
      with_constant<pixels_beside(kChannels)>(run.count, [&](auto pixels) {
        tile.out = out + (row * gathering.to.w + run.first) * kLaneCount<T>;
        gather_tile<pixels.value, kChannels>(tile, gathering.rows[row], run.taps, run.step);
      });
}

/// `start`: what the sums of each channel begin with, or null.
template <class T>
void gather(const Gathering& gathering, const TiledWeights<T>& weights, const T* start,
            int64_t images, int64_t groups, double multiplications, const T* from, T* to) {
  std::vector<std::vector<TapRun>> runs(kMostChannels + 1);  // by the channels of a tile
  for (int channels = 1; channels <= kMostChannels; ++channels)
    runs[channels] = runs_of(gathering.columns, pixels_beside(channels));
  parallel_for(blocks_of(images, kLaneCount<T>),
               units_per_block(multiplications * static_cast<double>(groups * kLaneCount<T>)),
               [&](int64_t begin, int64_t end) {
                 LaneImages<T> source(groups * gathering.from_channels, gathering.from);
                 LaneImages<T> results(groups * gathering.to_channels, gathering.to);
                 for_each_block<T>(images, begin, end, [&](int64_t first, int64_t count) {
                   source.load(from, first, count);
                   for (int64_t g = 0; g < groups; ++g)
                     for (int64_t c = 0, channels; c < gathering.to_channels; c += channels) {
                       channels = first_tile(gathering.to_channels - c, kMostChannels);
                       const int64_t channel = g * gathering.to_channels + c;
                       const GatherTile<T> tile{source.channel(g * gathering.from_channels),
                                                gathering.from_channels,
                                                source.plane,
                                                gathering.from.w * kLaneCount<T>,
                                                weights.of(g, c),
                                                gathering.kernel,
                                                start ? start + channel : nullptr,
                                                results.channel(channel),
                                                results.plane};
                       with_constant<kMostChannels>(channels, [&](auto some) {
                         gather_channels<some.value>(tile, gathering, runs[some.value]);
                       });
                     }
                   results.store(to, first, count);
                 });
               });
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const Gathering gathering = forward_gathering(problem);
  const int64_t out = problem.group_out(), terms = problem.terms(), taps = problem.taps();
  const TiledWeights<T> weights(gathering, problem.groups,
                                [&](int64_t g, int64_t to, int64_t from, int64_t tap) {
                                  return weight[(g * out + to) * terms + from * taps + tap];
                                });
  gather(gathering, weights, bias, problem.images, problem.groups, problem.multiplications(), x, y);
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const Gathering gathering = backward_gathering(problem);
  const int64_t out = problem.group_out(), terms = problem.terms(), taps = problem.taps();
  const TiledWeights<T> weights(gathering, problem.groups,
                                [&](int64_t g, int64_t to, int64_t from, int64_t tap) {
                                  return weight[(g * out + from) * terms + to * taps + tap];
                                });
  gather<T>(gathering, weights, nullptr, problem.images, problem.groups, problem.multiplications(),
            dy, dx);
}

// ---- The gradient of the filters
// -------------------------------------------------------------------

/// Rows of the output, and what a row of taps sees of the image.
struct RowPair {
  int64_t output, image;
};

/// Where a tile of the gradient's sums, neighbouring taps times channels, comes from and goes to.
template <class T>
struct CorrelateTile {
  const T* x;  // the first tap's first column
  int64_t x_row, x_step, x_dilation;
  const T* dy;
  int64_t dy_plane, dy_columns;
  T* sums;  // [channels][…][taps][lanes]
  int64_t sums_stride;
};

template <int kTaps, int kChannels, class T>
void correlate_tile(const CorrelateTile<T>& tile, const std::vector<RowPair>& rows) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sums[kTaps][kChannels];
  for (int c = 0; c < kChannels; ++c)
    for (int t = 0; t < kTaps; ++t)
      sums[t][c] = load_lanes(tile.sums + c * tile.sums_stride + t * kLanes);
  for (const RowPair& row : rows) {
    const T* x = tile.x + row.image * tile.x_row;
    const T* dy = tile.dy + row.output * tile.dy_columns * kLanes;
    for (int64_t j = 0; j < tile.dy_columns; ++j, x += tile.x_step, dy += kLanes) {
      Lanes<T> seen[kTaps];
      for (int t = 0; t < kTaps; ++t) {
        seen[t] = load_lanes(x + t * tile.x_dilation);
        hold_lanes(seen[t]);
      }
      for (int c = 0; c < kChannels; ++c) {
        const Lanes<T> dys = load_lanes(dy + c * tile.dy_plane);
        for (int t = 0; t < kTaps; ++t) sums[t][c] += dys * seen[t];
      }
    }
  }
  for (int c = 0; c < kChannels; ++c)
    for (int t = 0; t < kTaps; ++t)
      store_lanes<T>(tile.sums + c * tile.sums_stride + t * kLanes, sums[t][c]);
}

/// For each row of taps.
std::vector<std::vector<RowPair>> row_pairs(const Conv2dProblem& problem) {
  const Window& w = problem.window;
  std::vector<std::vector<RowPair>> pairs(w.kernel.h);
  for (int64_t kh = 0; kh < w.kernel.h; ++kh)
    for (int64_t i = 0; i < problem.output.h; ++i) {
      const int64_t row = i * w.stride.h + kh * w.dilation.h - w.padding.h;
      if (row >= 0 && row < problem.image.h) pairs[kh].push_back({i, row});
    }
  return pairs;
}

/// Adds to sums, [group's channels][terms][lanes], what a block of images contributes.
template <class T>
void correlate(const Conv2dProblem& problem, const std::vector<std::vector<RowPair>>& rows,
               LaneImages<T>& x, LaneImages<T>& dy, int64_t group, T* sums) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const Window& w = problem.window;
  const int64_t most_channels = channels_beside(first_tile(w.kernel.w, kMostTaps));
  for (int64_t o = 0, channels; o < problem.group_out(); o += channels) {
    channels = first_tile(problem.group_out() - o, most_channels);
    for (int64_t k = 0, taps; k < w.kernel.w; k += taps) {
      taps = first_tile(w.kernel.w - k, kMostTaps);
      CorrelateTile<T> tile{.x_row = x.columns * kLanes,
                            .x_step = w.stride.w * kLanes,
                            .x_dilation = w.dilation.w * kLanes,
                            .dy = dy.channel(group * problem.group_out() + o),
                            .dy_plane = dy.plane,
                            .dy_columns = problem.output.w,
                            .sums_stride = problem.terms() * kLanes};
      with_constant<kMostTaps>(taps, [&](auto some_taps) {
        with_constant<channels_beside(some_taps.value)>(channels, [&](auto some_channels) {
          for (int64_t c = 0; c < problem.group_in(); ++c)
            for (int64_t kh = 0; kh < w.kernel.h; ++kh) {
              tile.x = x.channel(group * problem.group_in() + c) + k * tile.x_dilation;
              tile.sums =
                  sums + (o * problem.terms() + (c * w.kernel.h + kh) * w.kernel.w + k) * kLanes;
              correlate_tile<some_taps.value, some_channels.value>(tile, rows[kh]);
            }
        });
      });
    }
  }
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const int64_t group_size = problem.group_out() * problem.terms();
  const auto rows = row_pairs(problem);
  sum_over_images(
      blocks_of(problem.images, kLaneCount<T>), 1, problem.groups * group_size, dweight,
      [&](int64_t begin, int64_t end, int64_t, int64_t, T* partial) {
        LaneImages<T> images(problem.in_channels, problem.image, problem.window.padding.w);
        LaneImages<T> dys(problem.out_channels, problem.output);
        Scratch<T> sums(problem.groups * group_size * kLaneCount<T>);
        std::fill_n(sums.data(), problem.groups * group_size * kLaneCount<T>, T{0});
        for_each_block<T>(problem.images, begin, end, [&](int64_t first, int64_t count) {
          images.load(x, first, count);
          dys.load(dy, first, count);
          for (int64_t g = 0; g < problem.groups; ++g)
            correlate(problem, rows, images, dys, g, sums.data() + g * group_size * kLaneCount<T>);
        });
        sum_each(sums.data(), problem.groups * group_size, partial);
      });
}

bool is_possible(const Conv2dProblem& problem, DType dtype) {
  constexpr int64_t kMostBytes = 768 << 10;  // of the second-level cache
  const int64_t lanes = kLaneBytes / static_cast<int64_t>(size_of(dtype));
  return 4 * problem.images >= 3 * blocks_of(problem.images, lanes) * lanes &&
         (problem.in_channels * problem.image.area() +
          problem.out_channels * problem.output.area()) *
                 kLaneBytes <=
             kMostBytes;
}

}  // namespace

const Method kBatchBlocked{"batch_blocked",
                           is_possible,
                           {forward<float>, backward_data<float>, backward_weight<float>},
                           {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
