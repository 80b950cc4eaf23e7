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

/// Of row r and term t, data[r · row_stride + t · term_stride] for as many terms as a segment has,
/// and so on with the next segment.
template <class T>
struct Factors {
  const T* data;
  int64_t row_stride, term_stride, terms;
  int64_t segment, segment_stride;
};

/// Vector v of row r begins at data[r · row_stride + v · vector_stride].
template <class T>
struct Vectors {
  T* data;
  int64_t row_stride, vector_stride;
};

/// Not inlined, as then not all sums would stay in registers.
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void multiply_tile(const Factors<T>& factors, Vectors<const T> in,
                                     const Vectors<T>& out, bool add, PartsAhead& ahead) {
  const auto place = [&](int r, int v) {
    return out.data + r * out.row_stride + v * out.vector_stride;
  };
  RegisterTile<Lanes<T>, kRows, kVectors> tile;
  tile.for_each(
      [&](int r, int v, Lanes<T>& sum) { sum = add ? load_lanes(place(r, v)) : Lanes<T>{}; });
  const T* segment = factors.data;
  for (int64_t first = 0; first < factors.terms; first += factors.segment) {
    const int64_t count = std::min(factors.segment, factors.terms - first);
    const T* factor = segment;
    for (int64_t t = 0; t < count; ++t, factor += factors.term_stride, in.data += in.row_stride) {
      ahead.step();
      tile.add([&](int r) { return hold_in_every_lane<Lanes<T>>(factor[r * factors.row_stride]); },
               [&](int v) { return held(load_lanes(in.data + v * in.vector_stride)); });
    }
    segment += factors.segment_stride;
  }
  tile.for_each([&](int r, int v, const Lanes<T>& sum) { store_lanes<T>(place(r, v), sum); });
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
      multiply_tile<tile_rows, tile_vectors>(
          of_rows, in, {out.data + row * out.row_stride, out.row_stride, out.vector_stride}, add,
          parts);
    });
  });
}

template <class T>
int64_t bytes_per_tile(int64_t in_channels, int64_t out_channels) {
  return (TileTransforms<T>::size_of_tile(in_channels) +
          TileTransforms<T>::size_of_tile(out_channels)) *
         static_cast<int64_t>(sizeof(T));
}

/// products = tiles · filters, at each point.
template <class T>
void multiply_points(const TileTransforms<T>& tiles, int64_t count,
                     const FilterTransforms<T>& filters, TileTransforms<T>& products) {
  constexpr int64_t kLanes = kLaneCount<T>, kBlock = TileTransforms<T>::kBlock;
  parallel_blocks(kPoints * filters.panels(), [&](int64_t unit) {
    const int64_t point = unit / filters.panels(), panel = unit % filters.panels();
    const T* factors = filters.panel(point, panel);
    multiply<T>(
        {tiles.at(0, 0, point), tiles.tile_stride, 1, tiles.channels, kLanes, kBlock}, count,
        {factors, filters.width, kLanes}, filters.vectors_in(panel),
        {products.at(0, panel * filters.width / kLanes, point), products.tile_stride, kBlock},
        false, factors + filters.panel_size(), filters.panel_size());
  });
}

/// Measured. Where a chunk's transforms stay in a core's L2, each thread has chunks of its own;
/// where the filters are too large for that, all threads work on one chunk. They read all filters
/// for each, so it is not much smaller than these.
constexpr int64_t kChunk = 5 << 18, kMostFilters = 3 << 20, kCommonChunk = 2 << 20;

template <class T>
void convolve(const TiledImages<const T>& x, const Filters<T>& filters, const T* bias,
              const TiledImages<T>& y) {
  const int64_t from_channels = x.blocks.channels, to_channels = y.blocks.channels;
  if (y.images == 0 || to_channels == 0) return;
  FilterTransforms<T> transformed(from_channels, to_channels);
  transform_filters(filters, transformed);
  const int64_t per_tile = bytes_per_tile<T>(from_channels, to_channels);
  const auto run = [&](const Chunk& chunk, TileTransforms<T>& tiles, TileTransforms<T>& products) {
    transform_tiles<T, InputTransform>(x, chunk, tiles);
    multiply_points(tiles, chunk.tiles(), transformed, products);
    transform_outputs(products, chunk, bias, y);
  };

  const Chunks small(x.images, x.tiles, per_tile, kChunk);
  if (transformed.bytes() <= kMostFilters && small.count() >= kEnoughBlocks) {
    parallel_blocks(small.count(), [&](int64_t i) {
      const Chunk chunk = small[i];
      TileTransforms<T> tiles(chunk.tiles(), from_channels), products(chunk.tiles(), to_channels);
      run(chunk, tiles, products);
    });
    return;
  }
  const Chunks large(x.images, x.tiles, per_tile, std::max(kCommonChunk, transformed.bytes() / 4));
  TileTransforms<T> tiles(large.most_tiles(), from_channels);
  TileTransforms<T> products(large.most_tiles(), to_channels);
  for (int64_t i = 0; i < large.count(); ++i) run(large[i], tiles, products);
}

/// gradient = tilesᵀ · dy_tiles at each point, or += where this is not the first chunk.
template <class T>
void multiply_transposed(const TileTransforms<T>& tiles, const TileTransforms<T>& dy_tiles,
                         int64_t count, bool first, FilterTransforms<T>& gradient) {
  constexpr int64_t kLanes = kLaneCount<T>;
  parallel_blocks(kPoints * gradient.panels(), [&](int64_t unit) {
    const int64_t point = unit / gradient.panels(), panel = unit % gradient.panels();
    for (int64_t c = 0; c < tiles.channels; c += kLanes)
      multiply<T>({tiles.at(0, c / kLanes, point), 1, tiles.tile_stride, count, count, 0},
                  std::min(kLanes, tiles.channels - c),
                  {dy_tiles.at(0, panel * gradient.width / kLanes, point), dy_tiles.tile_stride,
                   TileTransforms<T>::kBlock},
                  gradient.vectors_in(panel),
                  {gradient.panel(point, panel) + c * gradient.width, gradient.width, kLanes},
                  !first);
  });
}

/// Measured. For each chunk the gradient's transform is read and written once more.
constexpr int64_t kGradientChunk = 4 << 20;

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
  const Chunks chunks(p.images, tiles, bytes_per_tile<T>(p.in_channels, p.out_channels),
                      std::max(kGradientChunk, 2 * gradient.bytes()));
  TileTransforms<T> x_tiles(chunks.most_tiles(), p.in_channels);
  TileTransforms<T> dy_tiles(chunks.most_tiles(), p.out_channels);
  for (int64_t i = 0; i < chunks.count(); ++i) {
    transform_tiles<T, InputTransform>(of_x, chunks[i], x_tiles);
    transform_tiles<T, OutputGradientTransform>(of_dy, chunks[i], dy_tiles);
    multiply_transposed(x_tiles, dy_tiles, chunks[i].tiles(), i == 0, gradient);
  }
  transform_filter_gradient(gradient, dweight);
}

}  // namespace

const Method kWinograd{"winograd",
                       is_possible,
                       {forward<float>, backward_data<float>, backward_weight<float>},
                       {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
