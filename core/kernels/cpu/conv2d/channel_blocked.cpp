#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Results that stay in registers: of so many pixels, or terms of a filter, times so many vectors.
constexpr int kTilePixels = kTileVectors == 4 ? 6 : 4;

/// All planes of an image with zeros around them, so that every tap of every window finds a number.
template <class T>
class PaddedPlanes {
 public:
  PaddedPlanes(int64_t channels, Size2 image, Size2 before, Size2 padded)
      : channels_(channels),
        image_(image),
        before_(before),
        size(padded),
        scratch_(channels * padded.area()) {
    std::fill_n(scratch_.data(), channels * padded.area(), T{0});
  }
  void fill(const T* planes) {
    for (int64_t c = 0; c < channels_; ++c)
      for (int64_t row = 0; row < image_.h; ++row, planes += image_.w)
        copy_run(planes, scratch_.data() + c * size.area() + (before_.h + row) * size.w + before_.w,
                 image_.w);
  }
  const T* data() { return scratch_.data(); }

 private:
  int64_t channels_;
  Size2 image_, before_;

 public:
  const Size2 size;

 private:
  Scratch<T> scratch_;
};

/// A sum over terms for each of some pixels: result[p] = Σ_t weight[t] · in[from[p] + terms[t]],
/// and where among the results that is.
struct Sums {
  std::vector<int64_t> from, to, terms;
};

/// Numbers that belong to channels and terms, with channels in lanes, kTileVectors blocks of them
/// side by side: [tile][term][block][lanes].
template <class T>
class TermLanes {
 public:
  TermLanes(int64_t channels, int64_t terms)
      : terms_(terms),
        blocks_(blocks_of(channels, kLaneCount<T>)),
        scratch_(blocks_ * terms * kLaneCount<T>) {
    std::fill_n(scratch_.data(), blocks_ * terms * kLaneCount<T>, T{0});
  }
  int64_t blocks() const { return blocks_; }
  int64_t tiles() const { return blocks_of(blocks_, kTileVectors); }
  int64_t blocks_in(int64_t tile) const {
    return std::min<int64_t>(kTileVectors, blocks_ - tile * kTileVectors);
  }
  /// Of a term of the tile, its blocks side by side.
  T* at(int64_t tile, int64_t term) {
    return scratch_.data() +
           (tile * kTileVectors * terms_ + term * blocks_in(tile)) * kLaneCount<T>;
  }
  T& of_channel(int64_t channel, int64_t term) {
    const int64_t block = channel / kLaneCount<T>, tile = block / kTileVectors;
    return at(tile, term)[(block - tile * kTileVectors) * kLaneCount<T> + channel % kLaneCount<T>];
  }

 private:
  int64_t terms_, blocks_;
  Scratch<T> scratch_;
};

/// Sums of so many terms are added up: rounding errors of long sums grow with their length.
constexpr size_t kTermsAtOnce = 256;

template <int kPixels, int kVectors, class T>
void sum_tile(const T* in, const int64_t* from, const std::vector<int64_t>& terms, const T* weights,
              const T* start, T* out, const int64_t* to, int64_t block_stride) {
  constexpr int kLanes = kLaneCount<T>;
  const T* at[kPixels];
  for (int p = 0; p < kPixels; ++p) {
    at[p] = in + from[p];
    for (int v = 0; v < kVectors; ++v)
      store_lanes<T>(out + v * block_stride + to[p] * kLanes, load_lanes(start + v * kLanes));
  }
  for (size_t first = 0; first < terms.size(); first += kTermsAtOnce) {
    Lanes<T> sums[kPixels][kVectors] = {};
    for (size_t t = first; t < std::min(first + kTermsAtOnce, terms.size()); ++t) {
      const int64_t term = terms[t];
      Lanes<T> weight[kVectors];
      for (int v = 0; v < kVectors; ++v) weight[v] = load_lanes(weights + v * kLanes);
      weights += kVectors * kLanes;
      for (int p = 0; p < kPixels; ++p)
        for (int v = 0; v < kVectors; ++v) sums[p][v] += weight[v] * at[p][term];
    }
    for (int p = 0; p < kPixels; ++p)
      for (int v = 0; v < kVectors; ++v) {
        T* result = out + v * block_stride + to[p] * kLanes;
        store_lanes<T>(result, load_lanes<T>(result) + sums[p][v]);
      }
  }
}

/// Of one tile of channels; results are [block][pixel][lanes].
template <class T>
void sum_pixels(const Sums& sums, const T* in, const T* weights, int64_t blocks, const T* start,
                T* out, int64_t block_stride) {
  with_constant<kTileVectors>(blocks, [&](auto vectors) {
    const int64_t pixels = static_cast<int64_t>(sums.from.size());
    for (int64_t p = 0, count; p < pixels; p += count) {
      count = first_tile(pixels - p, kTilePixels);
      with_constant<kTilePixels>(count, [&](auto tile) {
        sum_tile<tile.value, vectors.value>(in, sums.from.data() + p, sums.terms, weights, start,
                                            out, sums.to.data() + p, block_stride);
      });
    }
  });
}

/// The forward pass as sums.
Sums forward_sums(const Conv2dProblem& problem, Size2 padded) {
  const Window& w = problem.window;
  Sums sums;
  for (int64_t i = 0; i < problem.output.h; ++i)
    for (int64_t j = 0; j < problem.output.w; ++j) {
      sums.from.push_back(i * w.stride.h * padded.w + j * w.stride.w);
      sums.to.push_back(i * problem.output.w + j);
    }
  for (int64_t c = 0; c < problem.in_channels; ++c)
    for (int64_t kh = 0; kh < w.kernel.h; ++kh)
      for (int64_t kw = 0; kw < w.kernel.w; ++kw)
        sums.terms.push_back(c * padded.area() + kh * w.dilation.h * padded.w + kw * w.dilation.w);
  return sums;
}

template <class T>
T* planes_of(T* tensor, int64_t image, int64_t channels, Size2 size, int64_t block) {
  return tensor + (image * channels + block * kLaneCount<T>)*size.area();
}

/// Blocks of channels, from [block][pixel][lanes] to where the tensor has them.
template <class T>
void store_blocks(T* lanes, Size2 size, int64_t first_block, int64_t blocks, int64_t image,
                  int64_t channels, T* tensor) {
  for (int64_t block = first_block; block < first_block + blocks; ++block)
    lanes_to_channels(LanesWindow<T>{lanes + (block - first_block) * size.area() * kLaneCount<T>, 0,
                                     0, size.h, size.w},
                      size, std::min<int64_t>(kLaneCount<T>, channels - block * kLaneCount<T>),
                      planes_of(tensor, image, channels, size, block));
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const Size2 padded = problem.padded();
  const Sums sums = forward_sums(problem, padded);
  const int64_t out = problem.out_channels, terms = problem.terms();
  TermLanes<T> filters(out, terms), start(out, 1);
  for (int64_t o = 0; o < out; ++o) {
    if (bias) start.of_channel(o, 0) = bias[o];
    for (int64_t t = 0; t < terms; ++t) filters.of_channel(o, t) = weight[o * terms + t];
  }
  const int64_t pixels = problem.output.area(), block_size = pixels * kLaneCount<T>;
  parallel_for(
      problem.images * filters.tiles(),
      units_per_block(problem.multiplications() / static_cast<double>(filters.tiles())),
      [&](int64_t begin, int64_t end) {
        PaddedPlanes<T> planes(problem.in_channels, problem.image, problem.window.padding, padded);
        Scratch<T> results(kTileVectors * block_size);
        for (int64_t unit = begin, filled = -1; unit < end; ++unit) {
          const int64_t image = unit / filters.tiles(), tile = unit % filters.tiles();
          if (image != filled) planes.fill(x + image * problem.in_channels * problem.image.area());
          filled = image;
          const int64_t blocks = filters.blocks_in(tile);
          sum_pixels(sums, planes.data(), filters.at(tile, 0), blocks, start.at(tile, 0),
                     results.data(), block_size);
          store_blocks(results.data(), problem.output, tile * kTileVectors, blocks, image, out, y);
        }
      });
}

/// A pixel of the image gets its gradient through the taps that fall on it, which are the same for
/// all pixels of a phase: those whose distance is a multiple of the stride.
struct BackwardPhase {
  Sums sums;
  std::vector<Size2> taps;
};

/// `before`: zeros in front of the output's gradient, for taps that lie outside of it.
std::vector<BackwardPhase> backward_phases(const Conv2dProblem& problem, Size2 before,
                                           Size2 padded) {
  const Window& w = problem.window;
  std::vector<BackwardPhase> phases;
  for (int64_t h = 0; h < std::min(w.stride.h, problem.image.h); ++h)
    for (int64_t v = 0; v < std::min(w.stride.w, problem.image.w); ++v) {
      BackwardPhase phase;
      for (int64_t row = h; row < problem.image.h; row += w.stride.h)
        for (int64_t column = v; column < problem.image.w; column += w.stride.w) {
          phase.sums.from.push_back(row / w.stride.h * padded.w + column / w.stride.w);
          phase.sums.to.push_back(row * problem.image.w + column);
        }
      for (int64_t kh = 0; kh < w.kernel.h; ++kh)
        for (int64_t kw = 0; kw < w.kernel.w; ++kw) {
          const int64_t i = h + w.padding.h - kh * w.dilation.h;
          const int64_t j = v + w.padding.w - kw * w.dilation.w;
          if (i % w.stride.h == 0 && j % w.stride.w == 0) phase.taps.push_back({kh, kw});
        }
      for (int64_t o = 0; o < problem.out_channels; ++o)
        for (const Size2 tap : phase.taps)
          phase.sums.terms.push_back(
              o * padded.area() +
              ((h + w.padding.h - tap.h * w.dilation.h) / w.stride.h + before.h) * padded.w +
              (v + w.padding.w - tap.w * w.dilation.w) / w.stride.w + before.w);
      phases.push_back(std::move(phase));
    }
  return phases;
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const Window& w = problem.window;
  const Size2 before{(w.span().h - 1) / w.stride.h, (w.span().w - 1) / w.stride.w};
  const Size2 padded{
      before.h + std::max(problem.output.h, (problem.image.h + w.padding.h - 1) / w.stride.h + 1),
      before.w + std::max(problem.output.w, (problem.image.w + w.padding.w - 1) / w.stride.w + 1)};
  const auto phases = backward_phases(problem, before, padded);
  const int64_t in = problem.in_channels;
  std::vector<std::unique_ptr<TermLanes<T>>> filters;  // of each phase
  for (const BackwardPhase& phase : phases) {
    filters.push_back(std::make_unique<TermLanes<T>>(in, phase.sums.terms.size()));
    for (int64_t c = 0; c < in; ++c)
      for (int64_t o = 0, term = 0; o < problem.out_channels; ++o)
        for (const Size2 tap : phase.taps)
          filters.back()->of_channel(c, term++) =
              weight[(o * in + c) * problem.taps() + tap.h * w.kernel.w + tap.w];
  }
  TermLanes<T> start(in, 1);
  const int64_t pixels = problem.image.area(), block_size = pixels * kLaneCount<T>;
  parallel_for(problem.images * start.tiles(),
               units_per_block(problem.multiplications() / static_cast<double>(start.tiles())),
               [&](int64_t begin, int64_t end) {
                 PaddedPlanes<T> planes(problem.out_channels, problem.output, before, padded);
                 Scratch<T> results(kTileVectors * block_size);
                 for (int64_t unit = begin, filled = -1; unit < end; ++unit) {
                   const int64_t image = unit / start.tiles(), tile = unit % start.tiles();
                   if (image != filled)
                     planes.fill(dy + image * problem.out_channels * problem.output.area());
                   filled = image;
                   const int64_t blocks = start.blocks_in(tile);
                   for (size_t i = 0; i < phases.size(); ++i)
                     sum_pixels(phases[i].sums, planes.data(), filters[i]->at(tile, 0), blocks,
                                start.at(tile, 0), results.data(), block_size);
                   store_blocks(results.data(), problem.image, tile * kTileVectors, blocks, image,
                                in, dx);
                 }
               });
}

/// sums[t][v] += Σ_p in[from[p] + terms[t]] · dy[v][p] for a tile of terms and blocks of channels.
template <int kTerms, int kVectors, class T>
void correlate_tile(const T* in, const std::vector<int64_t>& from, const int64_t* terms,
                    const T* dy, int64_t block_stride, T* sums) {
  constexpr int kLanes = kLaneCount<T>;
  const T* at[kTerms];
  Lanes<T> tile[kTerms][kVectors];
  for (int t = 0; t < kTerms; ++t) {
    at[t] = in + terms[t];
    for (int v = 0; v < kVectors; ++v) tile[t][v] = load_lanes(sums + (t * kVectors + v) * kLanes);
  }
  for (const int64_t pixel : from) {
    Lanes<T> dys[kVectors];
    for (int v = 0; v < kVectors; ++v) dys[v] = load_lanes(dy + v * block_stride);
    dy += kLanes;
    for (int t = 0; t < kTerms; ++t)
      for (int v = 0; v < kVectors; ++v) tile[t][v] += dys[v] * at[t][pixel];
  }
  for (int t = 0; t < kTerms; ++t)
    for (int v = 0; v < kVectors; ++v)
      store_lanes<T>(sums + (t * kVectors + v) * kLanes, tile[t][v]);
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const Size2 padded = problem.padded();
  const Sums sums = forward_sums(problem, padded);
  const int64_t out = problem.out_channels, terms = problem.terms();
  const int64_t block_size = problem.output.area() * kLaneCount<T>;
  const int64_t tiles = blocks_of(blocks_of(out, kLaneCount<T>), kTileVectors);
  sum_over_images(
      problem.images, tiles, out * terms, dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        PaddedPlanes<T> planes(problem.in_channels, problem.image, problem.window.padding, padded);
        TermLanes<T> gradient(out, terms);
        Scratch<T> dys(kTileVectors * block_size);
        for (int64_t image = first_image; image < end_image; ++image) {
          planes.fill(x + image * problem.in_channels * problem.image.area());
          for (int64_t tile = begin; tile < end; ++tile) {
            const int64_t blocks = gradient.blocks_in(tile);
            for (int64_t v = 0; v < blocks; ++v) {
              const int64_t block = tile * kTileVectors + v;
              channels_to_lanes(planes_of(dy, image, out, problem.output, block),
                                std::min<int64_t>(kLaneCount<T>, out - block * kLaneCount<T>),
                                problem.output,
                                LanesWindow<T>{dys.data() + v * block_size, 0, 0, problem.output.h,
                                               problem.output.w});
            }
            with_constant<kTileVectors>(blocks, [&](auto vectors) {
              for (int64_t t = 0, count; t < terms; t += count) {
                count = first_tile(terms - t, kTilePixels);
                with_constant<kTilePixels>(count, [&](auto tile_terms) {
                  correlate_tile<tile_terms.value, vectors.value>(planes.data(), sums.from,
                                                                  sums.terms.data() + t, dys.data(),
                                                                  block_size, gradient.at(tile, t));
                });
              }
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
