#include <algorithm>

#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/winograd_filters.h>
#include <pade/core/kernels/cpu/conv2d/winograd_tiles.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

using namespace winograd;

/// Of row r and term t, data[r · row_stride + t · term_stride].
template <class T>
struct Factors {
  const T* data;
  int64_t row_stride, term_stride, terms;
};

/// Rows of vectors.
template <class T>
struct Vectors {
  T* data;
  int64_t row_stride;
  T* at(int64_t row, int64_t vector) const {
    return data + row * row_stride + vector * kLaneCount<T>;
  }
};

/// Not inlined, as then not all sums would stay in registers.
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void multiply_tile(const Factors<T>& factors, const Vectors<const T>& in,
                                     const Vectors<T>& out, bool add, PartsAhead& ahead) {
  RegisterTile<Lanes<T>, kRows, kVectors> tile;
  tile.for_each(
      [&](int r, int v, Lanes<T>& sum) { sum = add ? load_lanes(out.at(r, v)) : Lanes<T>{}; });
  const T* factor = factors.data;
  for (int64_t t = 0; t < factors.terms; ++t) {
    ahead.step();
    tile.add([&](int r) { return hold_in_every_lane<Lanes<T>>(factor[r * factors.row_stride]); },
             [&](int v) { return held(load_lanes(in.at(t, v))); });
    factor += factors.term_stride;
  }
  tile.for_each([&](int r, int v, const Lanes<T>& sum) { store_lanes<T>(out.at(r, v), sum); });
}

/// out[r][v] = Σ_t factors[r][t] · in[t][v] for r in [0, rows) and v in [0, vectors), vectors <=
/// kTileVectors; or += where `add`. Meanwhile it fetches `ahead_count` elements from `ahead` on,
/// which will be read next.
template <class T>
void multiply(const Factors<T>& factors, int64_t rows, const Vectors<const T>& in, int64_t vectors,
              const Vectors<T>& out, bool add, const T* ahead = nullptr, int64_t ahead_count = 0) {
  const int64_t tiles = blocks_of(rows, kTileRows);
  PartsAhead parts(ahead, ahead_count, std::max<int64_t>(1, tiles * factors.terms));
  with_constant<kTileVectors>(vectors, [&](auto tile_vectors) {
    for_each_tile<kTileRows>(rows, [&](int64_t row, auto tile_rows) {
      Factors<T> of_rows = factors;
      of_rows.data += row * factors.row_stride;
      multiply_tile<tile_rows, tile_vectors>(of_rows, in, {out.at(row, 0), out.row_stride}, add,
                                             parts);
    });
  });
}

/// Of a tile, before and after the product.
template <class T>
int64_t bytes_per_tile(int64_t in_channels, int64_t out_channels) {
  constexpr int64_t kLanes = kLaneCount<T>, kBytes = kPoints * kLanes * int64_t{sizeof(T)};
  return (blocks_of(in_channels, kLanes) + blocks_of(out_channels, kLanes)) * kBytes;
}

/// Calls f(point, panel, the block of lanes that the panel begins with), in parallel.
template <class T, class F>
void for_each_panel(const FilterTransforms<T>& filters, F&& f) {
  parallel_blocks(kPoints * filters.panels(), [&](int64_t unit) {
    const int64_t panel = unit % filters.panels();
    f(unit / filters.panels(), panel, panel * filters.width / kLaneCount<T>);
  });
}

/// Measured. Each thread has chunks of its own, whose transforms stay in its L2. Filters that do
/// not fit there beside them are read again for each chunk, which is larger then. Where chunks are
/// too few for the threads, all of them work on one at a time.
constexpr int64_t kChunk = 5 << 18, kMostFilters = 3 << 20, kLargeChunk = 3 << 20;

template <class T>
void convolve(const TiledImages<const T>& x, const Filters<T>& filters, const T* bias,
              const TiledImages<T>& y) {
  const int64_t from_channels = x.blocks.channels, to_channels = y.blocks.channels;
  if (y.images == 0 || to_channels == 0) return;
  FilterTransforms<T> transformed(from_channels, to_channels);
  transform_filters(filters, transformed);
  const auto run = [&](const Chunk& chunk) {
    TileTransforms<T> tiles(chunk.tiles(), from_channels), products(chunk.tiles(), to_channels);
    transform_tiles<T, InputTransform>(x, chunk, tiles);
    for_each_panel(transformed, [&](int64_t point, int64_t panel, int64_t block) {
      const T* factors = transformed.panel(point, panel);
      multiply<T>({tiles.at(0, 0, point), tiles.tile_stride, 1, from_channels}, chunk.tiles(),
                  {factors, transformed.width}, transformed.vectors_in(panel),
                  {products.at(0, block, point), products.tile_stride}, false,
                  factors + transformed.panel_size(), transformed.panel_size());
    });
    transform_outputs(products, chunk, bias, y);
  };
  // How images are cut changes no bit: an output is made of its own tile.
  const int64_t enough = std::min<int64_t>(kEnoughBlocks, 4 * num_threads());
  const int64_t per_tile = bytes_per_tile<T>(from_channels, to_channels);
  const int64_t share = x.images * x.tiles.area() * per_tile / enough;
  const bool fit = transformed.bytes() <= kMostFilters;
  const Chunks own(x.images, x.tiles, per_tile, std::clamp(fit ? 0 : share, kChunk, kLargeChunk));
  if (own.count() >= enough) return parallel_blocks(own.count(), [&](int64_t i) { run(own[i]); });
  const Chunks common(x.images, x.tiles, per_tile, std::max(kLargeChunk, transformed.bytes() / 4));
  for (int64_t i = 0; i < common.count(); ++i) run(common[i]);
}

/// The gradient's transform: at each point the sum of tilesᵀ · dy_tiles over chunks of so many
/// bytes.
template <class T>
void sum_chunks(const TiledImages<const T>& x, const TiledImages<const T>& dy, int64_t bytes,
                const FilterTransforms<T>& gradient) {
  const int64_t in_channels = gradient.rows, out_channels = gradient.columns;
  const Chunks chunks(x.images, x.tiles, bytes_per_tile<T>(in_channels, out_channels), bytes);
  for (int64_t i = 0; i < chunks.count(); ++i) {
    const int64_t tiles = chunks[i].tiles();
    TileTransforms<T> x_tiles(tiles, in_channels), dy_tiles(tiles, out_channels);
    transform_tiles<T, InputTransform>(x, chunks[i], x_tiles);
    transform_tiles<T, OutputGradientTransform>(dy, chunks[i], dy_tiles);
    for_each_panel(gradient, [&](int64_t point, int64_t panel, int64_t block) {
      multiply<T>({x_tiles.at(0, 0, point), 1, x_tiles.tile_stride, tiles}, in_channels,
                  {dy_tiles.at(0, block, point), dy_tiles.tile_stride}, gradient.vectors_in(panel),
                  {gradient.panel(point, panel), gradient.width}, i > 0);
    });
  }
}

/// Measured. The gradient's transform is read and written once more for each chunk.
constexpr int64_t kGradientChunk = 1 << 20;

/// How many sums over blocks of images, each on one thread, a gradient is made of; by the problem
/// alone. One, on all threads, where there would be fewer than four, or writing and reading them
/// would be more than half of the tiles that each is made of.
int64_t partial_sums(int64_t gradient_bytes, int64_t tile_bytes) {
  const int64_t most = gradient_bytes <= kGradientChunk ? kEnoughBlocks : kEnoughBlocks / 2;
  const int64_t sums =
      std::min({most, kMostPartials * 4 / gradient_bytes, tile_bytes / (2 * gradient_bytes)});
  return sums < 4 ? 1 : sums;
}

bool is_possible(const Conv2dProblem& problem, DType) {
  const Window& window = problem.window;
  return window.kernel == 3 && window.stride == 1 && window.dilation == 1 && problem.groups == 1 &&
         window.padding.h <= 2 && window.padding.w <= 2;
}

template <class T>
void forward(const Conv2dProblem& p, const T* x, const T* weight, const T* bias, T* y) {
  const Size2 tiles = tiles_of(p.output);
  convolve<T>({p.images, {x, p.in_channels, p.image}, p.window.padding, tiles},
              {weight, kTaps, kTaps * p.in_channels, false}, bias,
              {p.images, {y, p.out_channels, p.output}, 0, tiles});
}

template <class T>
void backward_data(const Conv2dProblem& p, const T* weight, const T* dy, T* dx) {
  const Size2 tiles = tiles_of(p.image), padding = p.window.padding;
  convolve<T>({p.images, {dy, p.out_channels, p.output}, {2 - padding.h, 2 - padding.w}, tiles},
              {weight, kTaps * p.in_channels, kTaps, true}, nullptr,
              {p.images, {dx, p.in_channels, p.image}, 0, tiles});
}

template <class T>
void backward_weight(const Conv2dProblem& p, const T* x, const T* dy, T* dweight) {
  if (p.images == 0 || p.in_channels == 0 || p.out_channels == 0) {
    std::fill_n(dweight, kTaps * p.in_channels * p.out_channels, T{0});
    return;
  }
  const Size2 tiles = tiles_of(p.output);
  const TiledImages<const T> of_x{p.images, {x, p.in_channels, p.image}, p.window.padding, tiles};
  const TiledImages<const T> of_dy{p.images, {dy, p.out_channels, p.output}, 0, tiles};
  FilterTransforms<T> gradient(p.in_channels, p.out_channels);
  const int64_t chunk = std::max(kGradientChunk, 2 * gradient.bytes());
  const int64_t all = p.images * tiles.area() * bytes_per_tile<T>(p.in_channels, p.out_channels);
  sum_over_images(
      p.images, 1, gradient.size(), gradient.data(),
      [&](int64_t image, int64_t end, int64_t, int64_t, T* partial) {
        sum_chunks(of_x.images_in(image, end), of_dy.images_in(image, end), chunk,
                   FilterTransforms<T>(p.in_channels, p.out_channels, partial));
      },
      partial_sums(gradient.bytes(), all));
  transform_filter_gradient(gradient, dweight);
}

}  // namespace

const Method kWinograd{"winograd",
                       is_possible,
                       {forward<float>, backward_data<float>, backward_weight<float>},
                       {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
