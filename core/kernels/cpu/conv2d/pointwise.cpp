#include <algorithm>

#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Pixels that are multiplied at once: a tile's width.
template <class T>
inline constexpr int64_t kColumns = kTileVectors* kLaneCount<T>;

constexpr int64_t kMostRanges = 64;  // of pixels, one for a thread after the other

/// A matrix that is read as filter (row, term), the weights as they are or transposed.
template <class T>
struct Weights {
  const T* data;
  int64_t row_stride, term_stride;
};

/// What is read next, to be fetched while the tiles of a block are multiplied: so many short runs
/// are more than processors foresee, and all at once would be more than they fetch at a time.
template <class T>
struct Ahead {
  const T* data = nullptr;
  int64_t stride = 0;  // from one term to the next
  int64_t lines = 0;   // of each term, a vector each

  /// The lines that tile number i of so many fetches.
  Ahead part(int64_t i, int64_t tiles) const {
    const int64_t of_tile = blocks_of(lines, tiles), first = std::min(lines, i * of_tile);
    return {data + first * kLaneCount<T>, stride, std::min(of_tile, lines - first)};
  }
  void fetch(int64_t term) const {
    for (int64_t line = 0; line < lines; ++line)
      __builtin_prefetch(data + term * stride + line * kLaneCount<T>, 0, 2);
  }
};

/// out[r][p] = start[r] + Σ_t weights[r][t] · in[t][p] for a tile; `start` may be null: zeros.
template <int kTileRowsHere, bool kStream, class T>
void multiply_tile(const Weights<T>& weights, const T* in, int64_t terms, const T* start, T* out,
                   int64_t out_stride, const Ahead<T>& ahead) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sums[kTileRowsHere][kTileVectors];
  for (int r = 0; r < kTileRowsHere; ++r)
    for (int v = 0; v < kTileVectors; ++v) sums[r][v] = Lanes<T>{} + (start ? start[r] : T{0});
  const T* weight = weights.data;
  for (int64_t t = 0; t < terms; ++t, weight += weights.term_stride, in += kColumns<T>) {
    ahead.fetch(t);
    Lanes<T> column[kTileVectors];
    for (int v = 0; v < kTileVectors; ++v) column[v] = load_lanes(in + v * kLanes);
    for (int r = 0; r < kTileRowsHere; ++r)
      for (int v = 0; v < kTileVectors; ++v)
        sums[r][v] += column[v] * weight[r * weights.row_stride];
  }
  for (int r = 0; r < kTileRowsHere; ++r)
    for (int v = 0; v < kTileVectors; ++v)
      put_lanes<kStream, T>(out + r * out_stride + v * kLanes, sums[r][v]);
}

/// Pixels of all images one after another, cut into blocks of kColumns; where an image has fewer, a
/// block is of several.
struct Pixels {
  int64_t per_image, count;

  /// f(image, first pixel there, first column of the block, pixels) for every part of the block
  /// that begins at `begin`.
  template <class F>
  void for_each_part(int64_t begin, int64_t columns, F&& f) const {
    const int64_t end = std::min(begin + columns, count);
    for (int64_t at = begin, stop; at < end; at = stop) {
      const int64_t image = at / per_image;
      stop = std::min(end, (image + 1) * per_image);
      f(image, at - image * per_image, at - begin, stop - at);
    }
  }
  /// The block that begins at `begin`; nothing from `end` on.
  template <class T>
  Ahead<T> ahead(const T* from, int64_t channels, int64_t begin, int64_t end) const {
    if (begin >= end) return {};
    const int64_t image = begin / per_image, pixel = begin % per_image;
    return {from + image * channels * per_image + pixel, std::max(per_image, kColumns<T>),
            kTileVectors};
  }
};

/// to [N, to_channels, pixels] = weights · from [N, from_channels, pixels], image by image.
template <class T>
void multiply(const Pixels& pixels, const Weights<T>& weights, const T* from, int64_t from_channels,
              const T* bias, T* to, int64_t to_channels) {
  const double multiplications =
      static_cast<double>(from_channels) * static_cast<double>(to_channels * kColumns<T>);
  // Long enough for most of what is fetched ahead to be for the same thread.
  const int64_t blocks_at_once =
      std::max(units_per_block(multiplications), pixels.count / kColumns<T> / kMostRanges);
  const int64_t tiles = blocks_of(to_channels, kProductTileRows);
  const bool streams = is_streamed<T>(pixels.count * to_channels, pixels.per_image);
  parallel_for(pixels.count, blocks_at_once * kColumns<T>, [&](int64_t begin, int64_t end) {
    Scratch<T> in(from_channels * kColumns<T>), out(kProductTileRows * kColumns<T>);
    std::fill_n(in.data(), from_channels * kColumns<T>, T{0});
    for (int64_t column = begin; column < end; column += kColumns<T>) {
      T* whole = nullptr;  // where the results go, if they are one run of kColumns
      pixels.for_each_part(
          column, kColumns<T>, [&](int64_t image, int64_t pixel, int64_t at, int64_t count) {
            const T* run = from + image * from_channels * pixels.per_image + pixel;
            for (int64_t c = 0; c < from_channels; ++c, run += pixels.per_image) {
              copy_run(run, in.data() + c * kColumns<T> + at, count);
            }
            whole = count == kColumns<T> ? to + image * to_channels * pixels.per_image + pixel
                                         : nullptr;
          });
      const Ahead<T> next = pixels.ahead(from, from_channels, column + kColumns<T>, end);
      for (int64_t o = 0, tile = 0, rows; o < to_channels; o += rows, ++tile) {
        rows = first_tile(to_channels - o, kProductTileRows);
        const Ahead<T> ahead = next.part(tile, tiles);
        T* results = whole ? whole + o * pixels.per_image : out.data();
        const int64_t stride = whole ? pixels.per_image : kColumns<T>;
        const Weights<T> of_rows{weights.data + o * weights.row_stride, weights.row_stride,
                                 weights.term_stride};
        const T* start = bias ? bias + o : nullptr;
        with_constant<kProductTileRows>(rows, [&](auto tile_rows) {
          if (whole && streams)
            multiply_tile<tile_rows.value, true>(of_rows, in.data(), from_channels, start, results,
                                                 stride, ahead);
          else
            multiply_tile<tile_rows.value, false>(of_rows, in.data(), from_channels, start, results,
                                                  stride, ahead);
        });
        if (whole) continue;
        pixels.for_each_part(column, kColumns<T>,
                             [&](int64_t image, int64_t pixel, int64_t at, int64_t count) {
                               T* run = to + (image * to_channels + o) * pixels.per_image + pixel;
                               for (int64_t r = 0; r < rows; ++r, run += pixels.per_image)
                                 copy_run(out.data() + r * kColumns<T> + at, run, count);
                             });
      }
    }
    finish_streaming();
  });
}

Pixels pixels_of(const Conv2dProblem& problem) {
  return {problem.output.area(), problem.images * problem.output.area()};
}

bool is_possible(const Conv2dProblem& problem, DType) {
  const Window& window = problem.window;
  return window.kernel == 1 && window.stride == 1 && window.padding == 0 && problem.groups == 1;
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  multiply<T>(pixels_of(problem), {weight, problem.in_channels, 1}, x, problem.in_channels, bias, y,
              problem.out_channels);
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  multiply<T>(pixels_of(problem), {weight, 1, problem.in_channels}, dy, problem.out_channels,
              nullptr, dx, problem.in_channels);
}

}  // namespace

const Method kPointwise{
    "pointwise",
    is_possible,
    {forward<float>, backward_data<float>, pointwise_backward_weight<float>},
    {forward<double>, backward_data<double>, pointwise_backward_weight<double>}};

}  // namespace pade::cpu
