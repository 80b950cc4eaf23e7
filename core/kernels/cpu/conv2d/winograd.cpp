#include <algorithm>

#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/winograd_filters.h>
#include <pade/core/kernels/cpu/conv2d/winograd_tiles.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

using namespace winograd;

template <class T>
int64_t bytes_per_tile(int64_t in_channels, int64_t out_channels) {
  return (TileTransforms<T>::size_of_tile(in_channels) +
          TileTransforms<T>::size_of_tile(out_channels)) *
         static_cast<int64_t>(sizeof(T));
}

/// products = tiles · filters, at each point.
template <class T>
void multiply(const TileTransforms<T>& tiles, int64_t count, const FilterTransforms<T>& filters,
              TileTransforms<T>& products) {
  using Tiles = TileTransforms<T>;
  parallel_blocks(kPoints * filters.panels(), [&](int64_t unit) {
    const int64_t point = unit / filters.panels(), panel = unit % filters.panels();
    const T* factors = filters.panel(point, panel);
    multiply_lanes<T>(
        {tiles.at(0, 0, point), tiles.tile_stride, 1, tiles.channels, kLaneCount<T>, Tiles::kBlock},
        count, {factors, filters.width, kLaneCount<T>}, filters.vectors_in(panel),
        {products.at(0, panel * filters.width / kLaneCount<T>, point), products.tile_stride,
         Tiles::kBlock},
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
  if (y.images == 0 || y.channels == 0) return;
  FilterTransforms<T> transformed(filters.from_channels, filters.to_channels);
  transform_filters(filters, transformed);
  const int64_t per_tile = bytes_per_tile<T>(x.channels, y.channels);
  const auto run = [&](const Chunk& chunk, TileTransforms<T>& tiles, TileTransforms<T>& products) {
    transform_tiles<T, InputTransform>(x, chunk, tiles);
    multiply(tiles, chunk.tiles(), transformed, products);
    transform_outputs(products, chunk, bias, y);
  };

  const Chunks small(x.images, x.tiles, per_tile, kChunk);
  if (transformed.bytes() <= kMostFilters && small.count() >= kEnoughBlocks) {
    parallel_blocks(small.count(), [&](int64_t i) {
      const Chunk chunk = small[i];
      TileTransforms<T> tiles(chunk.tiles(), x.channels), products(chunk.tiles(), y.channels);
      run(chunk, tiles, products);
    });
    return;
  }
  const Chunks large(x.images, x.tiles, per_tile, std::max(kCommonChunk, transformed.bytes() / 4));
  TileTransforms<T> tiles(large.most_tiles(), x.channels), products(large.most_tiles(), y.channels);
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
      multiply_lanes<T>({tiles.at(0, c / kLanes, point), 1, tiles.tile_stride, count, count, 0},
                        std::min(kLanes, tiles.channels - c),
                        {dy_tiles.at(0, panel * gradient.width / kLanes, point),
                         dy_tiles.tile_stride, TileTransforms<T>::kBlock},
                        gradient.vectors_in(panel),
                        {gradient.panel(point, panel) + c * gradient.width, gradient.width, kLanes},
                        !first);
  });
}

/// Measured. For each chunk the gradient's transform is read and written once more.
constexpr int64_t kGradientChunk = 4 << 20;

template <class T>
void correlate(const TiledImages<const T>& x, const TiledImages<const T>& dy, T* dweight) {
  const int64_t in_channels = x.channels, out_channels = dy.channels;
  if (x.images == 0 || in_channels == 0 || out_channels == 0) {
    std::fill_n(dweight, kTaps * in_channels * out_channels, T{0});
    return;
  }
  FilterTransforms<T> gradient(in_channels, out_channels);
  const Chunks chunks(x.images, x.tiles, bytes_per_tile<T>(in_channels, out_channels),
                      std::max(kGradientChunk, 2 * gradient.bytes()));
  TileTransforms<T> tiles(chunks.most_tiles(), in_channels);
  TileTransforms<T> dy_tiles(chunks.most_tiles(), out_channels);
  for (int64_t i = 0; i < chunks.count(); ++i) {
    transform_tiles<T, InputTransform>(x, chunks[i], tiles);
    transform_tiles<T, OutputGradientTransform>(dy, chunks[i], dy_tiles);
    multiply_transposed(tiles, dy_tiles, chunks[i].tiles(), i == 0, gradient);
  }
  transform_filter_gradient(gradient, in_channels, out_channels, dweight);
}

bool is_possible(const Conv2dProblem& problem, DType) {
  const Window& window = problem.window;
  return window.kernel == 3 && window.stride == 1 && window.dilation == 1 && problem.groups == 1 &&
         window.padding.h <= 2 && window.padding.w <= 2;
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const Size2 tiles = tiles_of(problem.output);
  convolve<T>(
      {x, problem.images, problem.in_channels, problem.image, problem.window.padding, tiles},
      filters_forward(problem, weight), bias,
      {y, problem.images, problem.out_channels, problem.output, 0, tiles});
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const Size2 tiles = tiles_of(problem.image), padding = problem.window.padding;
  convolve<T>({dy,
               problem.images,
               problem.out_channels,
               problem.output,
               {2 - padding.h, 2 - padding.w},
               tiles},
              filters_backward(problem, weight), nullptr,
              {dx, problem.images, problem.in_channels, problem.image, 0, tiles});
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const Size2 tiles = tiles_of(problem.output);
  correlate<T>(
      {x, problem.images, problem.in_channels, problem.image, problem.window.padding, tiles},
      {dy, problem.images, problem.out_channels, problem.output, 0, tiles}, dweight);
}

}  // namespace

const Method kWinograd{"winograd",
                       is_possible,
                       {forward<float>, backward_data<float>, backward_weight<float>},
                       {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
