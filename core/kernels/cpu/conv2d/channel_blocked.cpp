#include <algorithm>
#include <deque>
#include <vector>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/group_planes.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Numbers that belong to channels and terms, with channels in lanes, kTileVectors blocks of them
/// side by side: [tile][term][block][lanes].
template <class T>
class TermLanes {
 public:
  TermLanes(int64_t channels, int64_t terms)
      : terms_(terms),
        blocks_(blocks_of(channels, kLaneCount<T>)),
        lanes_(blocks_ * terms * kLaneCount<T>, T{0}) {}
  int64_t tiles() const { return blocks_of(blocks_, kTileVectors); }
  int64_t blocks_in(int64_t tile) const {
    return std::min<int64_t>(kTileVectors, blocks_ - tile * kTileVectors);
  }
  /// Of a term of the tile, its blocks side by side.
  T* at(int64_t tile, int64_t term) const {
    return lanes_.data() + (tile * kTileVectors * terms_ + term * blocks_in(tile)) * kLaneCount<T>;
  }
  T& of_channel(int64_t channel, int64_t term) const {
    constexpr int64_t kChannels = kTileVectors * kLaneCount<T>;
    return at(channel / kChannels, term)[channel % kChannels];
  }

 private:
  int64_t terms_, blocks_;
  Scratch<T> lanes_;
};

/// Pixels of the results that are sums over the same terms:
/// result[to[p]] = start + Σ_t filters[t] · in[from[p] + terms[t]].
template <class T>
struct Sums {
  Sums(int64_t channels, const std::vector<int64_t>& offsets)
      : terms(offsets), filters(channels, static_cast<int64_t>(terms.size())) {}

  std::vector<int64_t> from, to, terms;
  TermLanes<T> filters;
};

/// Sums of so many terms are added up: rounding errors of long sums grow with their length.
constexpr size_t kTermsAtOnce = 256;

template <int kPixels, int kVectors, class T>
void sum_tile(const T* in, const int64_t* from, const std::vector<int64_t>& terms, const T* filters,
              const T* start, T* out, const int64_t* to, int64_t block_stride) {
  constexpr int kLanes = kLaneCount<T>;
  const T* at[kPixels];
  for (int p = 0; p < kPixels; ++p) at[p] = in + from[p];
  const auto result = [=](int p, int v) { return out + v * block_stride + to[p] * kLanes; };
  RegisterTile<Lanes<T>, kPixels, kVectors> tile;
  tile.for_each([=](int p, int v, const Lanes<T>&) {
    store_lanes<T>(result(p, v), load_lanes(start + v * kLanes));
  });
  for (size_t first = 0; first < terms.size(); first += kTermsAtOnce) {
    tile.for_each([](int, int, Lanes<T>& sum) { sum = Lanes<T>{}; });
    const size_t end = std::min(first + kTermsAtOnce, terms.size());
    for (size_t t = first; t < end; ++t, filters += kVectors * kLanes)
      tile.add([&, term = terms[t]](int p) { return at[p][term]; },
               [=](int v) { return held(load_lanes(filters + v * kLanes)); });
    tile.for_each([=](int p, int v, const Lanes<T>& sum) {
      store_lanes<T>(result(p, v), load_lanes(result(p, v)) + sum);
    });
  }
}

/// `to` = bias + `sums`, from what make_source() holds of one image at a time.
template <class T, class F>
void sum_images(const Conv2dProblem& problem, const T* from, F&& make_source,
                const std::deque<Sums<T>>& sums, const T* bias, const ChannelBlocks<T>& to) {
  const TermLanes<T> start(to.channels, 1);
  for (int64_t c = 0; bias && c < to.channels; ++c) start.of_channel(c, 0) = bias[c];
  const int64_t tiles = start.tiles(), block_size = to.size.area() * kLaneCount<T>;
  parallel_for(
      problem.images * tiles,
      units_per_block(problem.multiplications() / static_cast<double>(tiles)),
      [&](int64_t begin, int64_t end) {
        auto source = make_source();
        const Scratch<T> results(kTileVectors * block_size, T{0});  // what no window sees is zero
        for (int64_t unit = begin, filled = -1; unit < end; ++unit) {
          const int64_t image = unit / tiles, tile = unit % tiles, blocks = start.blocks_in(tile);
          if (image != filled) source.fill(from, image);
          filled = image;
          for (const Sums<T>& some : sums)
            with_constant<kTileVectors>(blocks, [&](auto vectors) {
              for_each_tile<kTileRows>(some.from.size(), [&](int64_t p, auto pixels) {
                sum_tile<pixels, vectors>(source.data(), some.from.data() + p, some.terms,
                                          some.filters.at(tile, 0), start.at(tile, 0),
                                          results.data(), some.to.data() + p, block_size);
              });
            });
          for (int64_t block = 0; block < blocks; ++block)
            to.store(
                image, tile * kTileVectors + block,
                LanesWindow<T>{results.data() + block * block_size, 0, 0, to.size.h, to.size.w});
        }
      });
}

/// Where in a tap plane the first tap of each pixel of the output is.
std::vector<int64_t> first_taps(const Conv2dProblem& problem, const TapPlane& plane) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < problem.output.h; ++i)
    for (int64_t j = 0; j < problem.output.w; ++j) places.push_back(i * plane.pitch + j);
  return places;
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const TapPlane plane(problem.window, problem.image, problem.output);
  const int64_t out = problem.out_channels, terms = problem.terms();
  std::deque<Sums<T>> sums;
  Sums<T>& all = sums.emplace_back(out, offsets_of_terms(problem, plane));
  all.from = first_taps(problem, plane);
  for (int64_t p = 0; p < problem.output.area(); ++p) all.to.push_back(p);
  for (int64_t o = 0; o < out; ++o)
    for (int64_t t = 0; t < terms; ++t) all.filters.of_channel(o, t) = weight[o * terms + t];
  sum_images<T>(problem, x, [&] { return GroupPlanes<T>(problem, plane); }, sums, bias,
                {y, out, problem.output});
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const TapPlane plane(problem.window, problem.image, problem.output);
  const int64_t in = problem.in_channels;
  std::deque<Sums<T>> sums;
  for (const auto& [offsets, weights] : flipped_terms<T>(problem, plane)) {
    const TermLanes<T>& filters = sums.emplace_back(in, offsets).filters;
    for (int64_t c = 0; c < in; ++c)
      for (size_t t = 0; t < weights.size(); ++t)
        filters.of_channel(c, t) = weight[c * problem.taps() + weights[t]];
  }
  plane.for_each_row(0, [&](int64_t row, int64_t pixel, int64_t begin, int64_t end) {
    Sums<T>& of_phase = sums[row / plane.phase_size()];
    for (int64_t q = begin; q < end; ++q, pixel += problem.window.stride.w) {
      of_phase.from.push_back(row % plane.phase_size() + q);
      of_phase.to.push_back(pixel);
    }
  });
  sum_images<T>(problem, dy, [&] { return GroupRuns<T>(problem, plane); }, sums, nullptr,
                {dx, in, problem.image});
}

/// sums[t][v] += Σ_p in[from[p] + terms[t]] · dy[v][p] for a tile of terms and blocks of channels.
template <int kTerms, int kVectors, class T>
void correlate_tile(const T* in, const std::vector<int64_t>& from, const int64_t* terms,
                    const T* dy, int64_t block_stride, T* sums) {
  constexpr int kLanes = kLaneCount<T>;
  const T* at[kTerms];
  for (int t = 0; t < kTerms; ++t) at[t] = in + terms[t];
  RegisterTile<Lanes<T>, kTerms, kVectors> tile;
  tile.for_each(
      [=](int t, int v, Lanes<T>& sum) { sum = load_lanes(sums + (t * kVectors + v) * kLanes); });
  for (const int64_t pixel : from) {
    tile.add([&](int t) { return at[t][pixel]; },
             [=](int v) { return load_lanes(dy + v * block_stride); });
    dy += kLanes;
  }
  tile.for_each([=](int t, int v, const Lanes<T>& sum) {
    store_lanes<T>(sums + (t * kVectors + v) * kLanes, sum);
  });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy_data, T* dweight) {
  const TapPlane plane(problem.window, problem.image, problem.output);
  const std::vector<int64_t> from = first_taps(problem, plane);
  const std::vector<int64_t> offsets = offsets_of_terms(problem, plane);
  const int64_t out = problem.out_channels, terms = problem.terms();
  const ChannelBlocks<const T> dy{dy_data, out, problem.output};
  const int64_t block_size = problem.output.area() * kLaneCount<T>;
  const int64_t tiles = blocks_of(dy.count(), kTileVectors);
  sum_over_images(
      problem.images, tiles, out * terms, dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        GroupPlanes<T> planes(problem, plane);
        const TermLanes<T> gradient(out, terms);
        const Scratch<T> dys(kTileVectors * block_size);
        for (int64_t image = first_image; image < end_image; ++image) {
          planes.fill(x, image);
          for (int64_t tile = begin; tile < end; ++tile) {
            const int64_t blocks = gradient.blocks_in(tile);
            for (int64_t block = 0; block < blocks; ++block)
              dy.load(image, tile * kTileVectors + block,
                      LanesWindow<T>{dys.data() + block * block_size, 0, 0, problem.output.h,
                                     problem.output.w});
            with_constant<kTileVectors>(blocks, [&](auto vectors) {
              for_each_tile<kTileRows>(terms, [&](int64_t t, auto tile_terms) {
                correlate_tile<tile_terms, vectors>(planes.data(), from, offsets.data() + t,
                                                    dys.data(), block_size, gradient.at(tile, t));
              });
            });
          }
        }
        const int64_t tile_channels = kTileVectors * kLaneCount<T>;
        for (int64_t o = begin * tile_channels; o < std::min(out, end * tile_channels); ++o)
          for (int64_t t = 0; t < terms; ++t) partial[o * terms + t] = gradient.of_channel(o, t);
      });
}

bool is_possible(const Conv2dProblem& problem, DType) { return problem.groups == 1; }

}  // namespace

const Method kChannelBlocked{"channel_blocked",
                             is_possible,
                             {forward<float>, backward_data<float>, backward_weight<float>},
                             {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
