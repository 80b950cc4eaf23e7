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

/// A window on as many images as there are lanes, one image to a lane: all channels' rows, one
/// below the other. `margin` columns of zeros left and right.
template <class T>
struct LaneImages : OwnedWindow<T> {
  LaneImages(int64_t channels, Size2 size, int64_t margin = 0)
      : OwnedWindow<T>({0, -margin}, {channels * size.h, size.w + 2 * margin}),
        plane(size.h * this->columns * kLaneCount<T>) {}
  T* channel(int64_t c) const { return this->data + c * plane; }

  int64_t plane;  // elements of a channel
};

/// The images of a tensor in blocks of as many as there are lanes, as LaneImages sees them.
template <class T>
ChannelBlocks<T> image_blocks(T* tensor, int64_t images, int64_t channels, Size2 size) {
  return {tensor, images, {channels * size.h, size.w}};
}

// ---- Sums over taps: the forward pass, and the gradient of the image

/// A convolution of either direction, from one side to the other, and which taps each row and
/// column of the results has.
struct Gathering {
  struct Side {
    int64_t channels, weight_stride;  // of a group
    Size2 size;
  };
  Side from, to;
  Size2 kernel;
  std::vector<Taps> rows, columns;
};

Gathering gathering_of(const Conv2dProblem& p, bool backward) {
  const Gathering::Side image{p.group_in(), p.taps(), p.image};
  const Gathering::Side output{p.group_out(), p.terms(), p.output};
  const auto taps = backward ? backward_taps : forward_taps;
  return {backward ? output : image, backward ? image : output, p.window.kernel, taps(p, &Size2::h),
          taps(p, &Size2::w)};
}

/// Weights in the order in which they are read: of each group, and of each tile of its channels,
/// [tap row][tap column][source channel][channels of the tile].
template <class T>
std::vector<T> tile_weights(const Gathering& g, int64_t groups, const T* weight) {
  const int64_t taps = g.kernel.area(), of_group = g.from.channels * g.to.channels * taps;
  std::vector<T> tiled;
  tiled.reserve(groups * of_group);
  for (int64_t group = 0; group < groups; ++group, weight += of_group)
    for_each_tile<kMostChannels>(g.to.channels, [&](int64_t first, auto channels) {
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t from = 0; from < g.from.channels; ++from)
          for (int64_t to = first; to < first + channels; ++to)
            tiled.push_back(weight[to * g.to.weight_stride + from * g.from.weight_stride + tap]);
    });
  return tiled;
}

/// Neighbouring pixels that have the same taps, of some channels.
template <int kChannels, int kPixels, class T>
void gather_tile(const Gathering& g, const T* source, const Taps& rows, const TapRun& run,
                 const T* weights, const T* start, T* results) {
  constexpr int kLanes = kLaneCount<T>;
  const int64_t in_plane = g.from.size.area() * kLanes, out_plane = g.to.size.area() * kLanes;
  const int64_t step = run.step * kLanes, channels = g.from.channels;
  RegisterTile<Lanes<T>, kChannels, kPixels> tile;
  tile.for_each([=](int c, int, Lanes<T>& sum) { sum = Lanes<T>{} + (start ? start[c] : T{0}); });
  for (const Tap& row : rows)
    for (const Tap& column : run.taps) {
      const T* in = source + (row.at * g.from.size.w + column.at) * kLanes;
      const T* weight = weights + (row.k * g.kernel.w + column.k) * channels * kChannels;
      for (int64_t from = 0; from < channels; ++from, in += in_plane, weight += kChannels)
        tile.add([=](int c) { return weight[c]; },
                 [=](int p) { return load_lanes(in + p * step); });
    }
  tile.for_each([=](int c, int p, const Lanes<T>& sum) {
    store_lanes<T>(results + c * out_plane + p * kLanes, sum);
  });
}

/// `start`: what the sums of each channel begin with, or null.
template <class T>
void gather(const Conv2dProblem& problem, const Gathering& g, const T* weight, const T* start,
            const T* from_data, T* to_data) {
  const int64_t images = problem.images, groups = problem.groups;
  const auto from = image_blocks(from_data, images, groups * g.from.channels, g.from.size);
  const auto to = image_blocks(to_data, images, groups * g.to.channels, g.to.size);
  const std::vector<T> weights = tile_weights(g, groups, weight);
  std::vector<std::vector<TapRun>> runs(kMostChannels + 1);  // by the channels of a tile
  for (int channels = 1; channels <= kMostChannels; ++channels)
    runs[channels] = runs_of(g.columns, pixels_beside(channels));
  const double multiplications = problem.multiplications() * static_cast<double>(groups);
  parallel_for(
      to.count(), units_per_block(multiplications * kLaneCount<T>),
      [&](int64_t begin, int64_t end) {
        const LaneImages<T> source(groups * g.from.channels, g.from.size);
        const LaneImages<T> results(groups * g.to.channels, g.to.size);
        for (int64_t block = begin; block < end; ++block) {
          from.load(0, block, source);
          for (int64_t group = 0; group < groups; ++group)
            for_each_tile<kMostChannels>(g.to.channels, [&](int64_t first, auto channels) {
              const int64_t channel = group * g.to.channels + first;
              const T* of_tile = weights.data() + channel * g.from.channels * g.kernel.area();
              for (int64_t row = 0; row < g.to.size.h; ++row)
                for (const TapRun& run : runs[channels])
                  with_constant<pixels_beside(channels)>(run.count, [&](auto pixels) {
                    gather_tile<channels, pixels>(
                        g, source.channel(group * g.from.channels), g.rows[row], run, of_tile,
                        start ? start + channel : nullptr,
                        results.channel(channel) + (row * g.to.size.w + run.first) * kLaneCount<T>);
                  });
            });
          to.store(0, block, results);
        }
      });
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  gather(problem, gathering_of(problem, false), weight, bias, x, y);
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  gather<T>(problem, gathering_of(problem, true), weight, nullptr, dy, dx);
}

// ---- The gradient of the filters

/// Rows of the output, and what a row of taps sees of the image.
struct RowPair {
  int64_t output, image;
};

/// For each row of taps.
std::vector<std::vector<RowPair>> row_pairs(const Conv2dProblem& problem) {
  std::vector<std::vector<RowPair>> pairs(problem.window.kernel.h);
  const std::vector<Taps> taps = forward_taps(problem, &Size2::h);
  for (int64_t i = 0; i < problem.output.h; ++i)
    for (const Tap& tap : taps[i]) pairs[tap.k].push_back({i, tap.at});
  return pairs;
}

/// Adds to a tile of the gradient's sums, [channels][…][taps][lanes], neighbouring taps times
/// channels. `x` is the first tap's first column.
template <int kChannels, int kTaps, class T>
void correlate_tile(const Window& w, const std::vector<RowPair>& rows, const T* x,
                    const LaneImages<T>& of_x, const T* dy, const LaneImages<T>& of_dy, T* sums,
                    int64_t sums_stride) {
  constexpr int kLanes = kLaneCount<T>;
  const int64_t columns = of_dy.columns, plane = of_dy.plane;
  const int64_t step = w.stride.w * kLanes, dilation = w.dilation.w * kLanes;
  RegisterTile<Lanes<T>, kChannels, kTaps> tile;
  tile.for_each(
      [=](int c, int t, Lanes<T>& sum) { sum = load_lanes(sums + c * sums_stride + t * kLanes); });
  for (const RowPair& row : rows) {
    const T* in = x + row.image * of_x.columns * kLanes;
    const T* dys = dy + row.output * columns * kLanes;
    for (int64_t j = 0; j < columns; ++j, in += step, dys += kLanes)
      tile.add([=](int c) { return held(load_lanes(dys + c * plane)); },
               [=](int t) { return held(load_lanes(in + t * dilation)); });
  }
  tile.for_each([=](int c, int t, const Lanes<T>& sum) {
    store_lanes<T>(sums + c * sums_stride + t * kLanes, sum);
  });
}

/// Adds to sums, [group's channels][terms][lanes], what a block of images contributes.
template <class T>
void correlate(const Conv2dProblem& problem, const std::vector<std::vector<RowPair>>& rows,
               const LaneImages<T>& x, const LaneImages<T>& dy, int64_t group, T* sums) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const Window& w = problem.window;
  for_each_tile<kMostTaps>(w.kernel.w, [&](int64_t k, auto taps) {
    for_each_tile<channels_beside(taps)>(problem.group_out(), [&](int64_t o, auto channels) {
      for (int64_t c = 0; c < problem.group_in(); ++c)
        for (int64_t kh = 0; kh < w.kernel.h; ++kh)
          correlate_tile<channels, taps>(
              w, rows[kh], x.channel(group * problem.group_in() + c) + k * w.dilation.w * kLanes, x,
              dy.channel(group * problem.group_out() + o), dy,
              sums + (o * problem.terms() + (c * w.kernel.h + kh) * w.kernel.w + k) * kLanes,
              problem.terms() * kLanes);
    });
  });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x_data, const T* dy_data, T* dweight) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const int64_t group_size = problem.group_out() * problem.terms();
  const auto x = image_blocks(x_data, problem.images, problem.in_channels, problem.image);
  const auto dy = image_blocks(dy_data, problem.images, problem.out_channels, problem.output);
  const auto rows = row_pairs(problem);
  sum_over_images(
      x.count(), 1, problem.groups * group_size, dweight,
      [&](int64_t begin, int64_t end, int64_t, int64_t, T* partial) {
        const LaneImages<T> images(problem.in_channels, problem.image, problem.window.padding.w);
        const LaneImages<T> dys(problem.out_channels, problem.output);
        const Scratch<T> sums(problem.groups * group_size * kLanes, T{0});
        for (int64_t block = begin; block < end; ++block) {
          x.load(0, block, images);
          dy.load(0, block, dys);
          for (int64_t g = 0; g < problem.groups; ++g)
            correlate(problem, rows, images, dys, g, sums.data() + g * group_size * kLanes);
        }
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
