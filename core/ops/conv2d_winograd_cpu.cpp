#include <algorithm>

#include <pade/core/blas.h>
#include <pade/core/ops/channel_lanes_loops.h>
#include <pade/core/ops/conv2d_blocks_loops.h>
#include <pade/core/ops/conv2d_kernels.h>
#include <pade/core/ops/scratch_loops.h>
#include <pade/core/ops/winograd_loops.h>
#include <pade/core/parallel.h>

namespace pade::cpu::winograd {
namespace {

template <class T>
int64_t whole_lanes(int64_t channels) {
  return blocks_of(channels, kLaneCount<T>) * kLaneCount<T>;
}

/// The transforms of tiles or filters: one matrix for each of the points.
template <class T>
class Matrices {
 public:
  Matrices(int64_t rows, int64_t columns)
      : columns(columns),
        row_stride(whole_lanes<T>(columns)),
        // Not a power of two, which caches take badly.
        point_stride(rows * row_stride + kLaneCount<T>),
        scratch_(kPoints * point_stride),
        data_(scratch_.data()) {}
  T* at(int64_t point, int64_t row, int64_t column) const {
    return data_ + point * point_stride + row * row_stride + column;
  }

  const int64_t columns, row_stride, point_stride;

 private:
  Scratch<T> scratch_;
  T* data_;
};

/// What a convolution goes over: images [N, C, H, W], cut into tiles of `kOutput` by `kOutput`
/// outputs with `padding` zeros around.
template <class T>
struct TiledImages {
  T* data;
  int64_t images, channels;
  Size2 size, padding, tiles;

  int64_t channel_blocks() const { return blocks_of(channels, kLaneCount<T>); }
  int64_t channels_in(int64_t block) const {
    return std::min<int64_t>(kLaneCount<T>, channels - block * kLaneCount<T>);
  }
  T* planes(int64_t image, int64_t block) const {
    return data + (image * channels + block * kLaneCount<T>)*size.area();
  }
};

Size2 tiles_of(Size2 outputs) {
  return {blocks_of(outputs.h, kOutput), blocks_of(outputs.w, kOutput)};
}

/// Some rows of tiles of each of some images.
struct Chunk {
  int64_t image, images, row, rows, tiles_per_row;

  int64_t tiles() const { return images * rows * tiles_per_row; }
  int64_t first_tile(int64_t n) const { return n * rows * tiles_per_row; }
};

/// How images are cut into chunks that are transformed, multiplied and transformed back at once.
class Chunks {
 public:
  /// `bytes` that the transforms of a chunk may take, at `bytes_per_tile`.
  Chunks(int64_t images, Size2 tiles, int64_t bytes_per_tile, int64_t bytes)
      : images_(images), tiles_(tiles), images_per_chunk_(1), rows_per_chunk_(tiles.h) {
    const int64_t most = std::max<int64_t>(1, bytes / bytes_per_tile);
    if (most >= tiles.area()) {
      const int64_t fit = std::clamp<int64_t>(most / tiles.area(), 1, std::max<int64_t>(1, images));
      images_per_chunk_ = blocks_of(images, blocks_of(images, fit));
    } else {
      rows_per_chunk_ =
          blocks_of(tiles.h, blocks_of(tiles.h, std::max<int64_t>(1, most / tiles.w)));
    }
  }
  int64_t count() const { return blocks_of(images_, images_per_chunk_) * row_parts(); }
  Chunk operator[](int64_t i) const {
    const int64_t image = i / row_parts() * images_per_chunk_;
    const int64_t row = i % row_parts() * rows_per_chunk_;
    return {image, std::min(images_per_chunk_, images_ - image), row,
            std::min(rows_per_chunk_, tiles_.h - row), tiles_.w};
  }
  int64_t most_tiles() const { return images_per_chunk_ * rows_per_chunk_ * tiles_.w; }

 private:
  int64_t row_parts() const { return blocks_of(tiles_.h, rows_per_chunk_); }

  int64_t images_;
  Size2 tiles_;
  int64_t images_per_chunk_, rows_per_chunk_;
};

template <class T>
int64_t bytes_per_tile(int64_t in_channels, int64_t out_channels) {
  return kPoints * (whole_lanes<T>(in_channels) + whole_lanes<T>(out_channels)) *
         static_cast<int64_t>(sizeof(T));
}

/// The tiles of a chunk, of Transform::kFrom by kFrom pixels each, as rows of the matrices.
template <class T, class Transform>
void transform_tiles(const TiledImages<const T>& from, const Chunk& chunk, Matrices<T>& to) {
  constexpr int64_t kMargin = Transform::kFrom - kOutput;
  const int64_t blocks = from.channel_blocks();
  parallel_blocks(chunk.images * blocks, [&](int64_t unit) {
    const int64_t n = unit / blocks, block = unit % blocks;
    LanesWindow<T> window{nullptr, chunk.row * kOutput - from.padding.h, -from.padding.w,
                          chunk.rows * kOutput + kMargin, from.tiles.w * kOutput + kMargin};
    Scratch<T> scratch(window.size());
    window.data = scratch.data();
    channels_to_lanes(from.planes(chunk.image + n, block), from.channels_in(block), from.size,
                      window);
    int64_t tile = chunk.first_tile(n);
    for (int64_t i = 0; i < chunk.rows; ++i)
      for (int64_t j = 0; j < from.tiles.w; ++j, ++tile) {
        const T* corner = window.at(i * kOutput, j * kOutput);
        T* out = to.at(0, tile, block * kLaneCount<T>);
        transform_tile<T, Transform>(
            [&](int row, int column) {
              return load_lanes(corner + (row * window.columns + column) * kLaneCount<T>);
            },
            [&](int row, int column, const Lanes<T>& value) {
              store_lanes(out + (row * kInput + column) * to.point_stride, value);
            });
      }
  });
}

/// The outputs of a chunk from their transforms, with the bias added where there is one.
template <class T>
void transform_outputs(const Matrices<T>& from, const Chunk& chunk, const T* bias,
                       const TiledImages<T>& to) {
  const int64_t blocks = to.channel_blocks();
  parallel_blocks(chunk.images * blocks, [&](int64_t unit) {
    const int64_t n = unit / blocks, block = unit % blocks;
    LanesWindow<T> window{nullptr, chunk.row * kOutput, 0, chunk.rows * kOutput,
                          to.tiles.w * kOutput};
    Scratch<T> scratch(window.size());
    window.data = scratch.data();
    const int64_t channels = to.channels_in(block);
    const Lanes<T> added =
        bias ? load_lanes(bias + block * kLaneCount<T>, channels, T{0}) : Lanes<T>{};
    int64_t tile = chunk.first_tile(n);
    for (int64_t i = 0; i < chunk.rows; ++i)
      for (int64_t j = 0; j < to.tiles.w; ++j, ++tile) {
        const T* in = from.at(0, tile, block * kLaneCount<T>);
        T* corner = window.at(i * kOutput, j * kOutput);
        transform_tile<T, OutputTransform>(
            [&](int row, int column) {
              return load_lanes(in + (row * kInput + column) * from.point_stride);
            },
            [&](int row, int column, const Lanes<T>& value) {
              store_lanes<T>(corner + (row * window.columns + column) * kLaneCount<T>,
                             value + added);
            });
      }
    lanes_to_channels(window, to.size, channels, to.planes(chunk.image + n, block));
  });
}

/// Filters of a convolution: weight [O, C, 3, 3], or turned around for the way back, which goes
/// from the output's channels to the input's.
template <class T>
struct Filters {
  const T* weight;
  int64_t from_channels, to_channels, from_stride, to_stride;
  bool turned;
};

template <class T>
Filters<T> filters_forward(const Conv2dProblem& problem, const T* weight) {
  return {weight, problem.in_channels, problem.out_channels, 9, 9 * problem.in_channels, false};
}

template <class T>
Filters<T> filters_backward(const Conv2dProblem& problem, const T* weight) {
  return {weight, problem.out_channels, problem.in_channels, 9 * problem.in_channels, 9, true};
}

template <class T>
void transform_filters(const Filters<T>& filters, Matrices<T>& to) {
  constexpr int64_t kLanes = kLaneCount<T>;
  parallel_blocks(blocks_of(filters.to_channels, kLanes), [&](int64_t block) {
    const int64_t first = block * kLanes;
    const int64_t count = std::min(kLanes, filters.to_channels - first);
    alignas(kLaneBytes) T taps[9][kLanes] = {};
    for (int64_t c = 0; c < filters.from_channels; ++c) {
      const T* weight = filters.weight + c * filters.from_stride + first * filters.to_stride;
      for (int64_t lane = 0; lane < count; ++lane, weight += filters.to_stride)
        for (int64_t tap = 0; tap < 9; ++tap)
          taps[tap][lane] = weight[filters.turned ? 8 - tap : tap];
      T* out = to.at(0, c, first);
      transform_tile<T, FilterTransform>(
          [&](int row, int column) { return load_lanes(taps[row * 3 + column]); },
          [&](int row, int column, const Lanes<T>& value) {
            store_lanes(out + (row * kInput + column) * to.point_stride, value);
          });
    }
  });
}

/// products = tiles · filters, at each point.
template <class T>
void multiply(const Matrices<T>& tiles, int64_t rows, const Matrices<T>& filters,
              Matrices<T>& products) {
  constexpr int64_t kColumns = 256;
  const int64_t parts = blocks_of(filters.columns, kColumns);
  parallel_blocks(kPoints * parts, [&](int64_t unit) {
    const int64_t point = unit / parts, column = unit % parts * kColumns;
    blas::gemm<T>(false, false, rows, std::min(kColumns, filters.columns - column), tiles.columns,
                  1, tiles.at(point, 0, 0), tiles.row_stride, filters.at(point, 0, column),
                  filters.row_stride, 0, products.at(point, 0, column), products.row_stride);
  });
}

/// Where a chunk's transforms stay in a core's L2, each thread has chunks of its own; where the
/// filters are too large for that, all threads work on one chunk, and read them less often.
constexpr int64_t kChunkInL2 = 5 << 18, kChunkInL3 = 8 << 20, kFiltersInL2 = 3 << 20;

template <class T>
void convolve(const TiledImages<const T>& x, const Filters<T>& filters, const T* bias,
              const TiledImages<T>& y) {
  if (y.images == 0 || y.channels == 0) return;
  Matrices<T> transformed(filters.from_channels, filters.to_channels);
  transform_filters(filters, transformed);
  const int64_t per_tile = bytes_per_tile<T>(x.channels, y.channels);
  const auto run = [&](const Chunk& chunk, Matrices<T>& tiles, Matrices<T>& products) {
    transform_tiles<T, InputTransform>(x, chunk, tiles);
    multiply(tiles, chunk.tiles(), transformed, products);
    transform_outputs(products, chunk, bias, y);
  };

  const Chunks small(x.images, x.tiles, per_tile, kChunkInL2);
  const int64_t filter_bytes = kPoints * transformed.point_stride * int64_t{sizeof(T)};
  if (filter_bytes <= kFiltersInL2 && small.count() >= kEnoughBlocks) {
    parallel_blocks(small.count(), [&](int64_t i) {
      const Chunk chunk = small[i];
      Matrices<T> tiles(chunk.tiles(), x.channels), products(chunk.tiles(), y.channels);
      run(chunk, tiles, products);
    });
    return;
  }
  const Chunks large(x.images, x.tiles, per_tile, kChunkInL3);
  Matrices<T> tiles(large.most_tiles(), x.channels), products(large.most_tiles(), y.channels);
  for (int64_t i = 0; i < large.count(); ++i) run(large[i], tiles, products);
}

/// gradient (+)= tilesᵀ · dy_tiles, at each point.
template <class T>
void multiply_transposed(const Matrices<T>& tiles, const Matrices<T>& dy_tiles, int64_t rows,
                         bool first, Matrices<T>& gradient) {
  constexpr int64_t kRows = 128;
  const int64_t parts = blocks_of(tiles.columns, kRows);
  parallel_blocks(kPoints * parts, [&](int64_t unit) {
    const int64_t point = unit / parts, row = unit % parts * kRows;
    blas::gemm<T>(true, false, std::min(kRows, tiles.columns - row), dy_tiles.columns, rows, 1,
                  tiles.at(point, 0, row), tiles.row_stride, dy_tiles.at(point, 0, 0),
                  dy_tiles.row_stride, first ? 0 : 1, gradient.at(point, row, 0),
                  gradient.row_stride);
  });
}

/// dweight [O, C, 3, 3] from its transform.
template <class T>
void transform_filter_gradient(const Matrices<T>& from, int64_t in_channels, int64_t out_channels,
                               T* dweight) {
  constexpr int64_t kLanes = kLaneCount<T>;
  parallel_blocks(blocks_of(out_channels, kLanes), [&](int64_t block) {
    const int64_t first = block * kLanes, count = std::min(kLanes, out_channels - first);
    alignas(kLaneBytes) T taps[9][kLanes];
    for (int64_t c = 0; c < in_channels; ++c) {
      const T* in = from.at(0, c, first);
      transform_tile<T, FilterGradientTransform>(
          [&](int row, int column) {
            return load_lanes(in + (row * kInput + column) * from.point_stride);
          },
          [&](int row, int column, const Lanes<T>& value) {
            store_lanes(taps[row * 3 + column], value);
          });
      for (int64_t lane = 0; lane < count; ++lane)
        for (int64_t tap = 0; tap < 9; ++tap)
          dweight[((first + lane) * in_channels + c) * 9 + tap] = taps[tap][lane];
    }
  });
}

template <class T>
void backward_weight(const TiledImages<const T>& x, const TiledImages<const T>& dy, T* dweight) {
  const int64_t in_channels = x.channels, out_channels = dy.channels;
  if (x.images == 0 || in_channels == 0 || out_channels == 0) {
    std::fill_n(dweight, 9 * in_channels * out_channels, T{0});
    return;
  }
  const Chunks chunks(x.images, x.tiles, bytes_per_tile<T>(in_channels, out_channels), kChunkInL3);
  Matrices<T> tiles(chunks.most_tiles(), in_channels), dy_tiles(chunks.most_tiles(), out_channels);
  Matrices<T> gradient(in_channels, out_channels);
  for (int64_t i = 0; i < chunks.count(); ++i) {
    transform_tiles<T, InputTransform>(x, chunks[i], tiles);
    transform_tiles<T, OutputGradientTransform>(dy, chunks[i], dy_tiles);
    multiply_transposed(tiles, dy_tiles, chunks[i].tiles(), i == 0, gradient);
  }
  transform_filter_gradient(gradient, in_channels, out_channels, dweight);
}

}  // namespace

bool is_possible(const Conv2dProblem& problem) {
  const Window& window = problem.window;
  return window.kernel == 3 && window.stride == 1 && window.dilation == 1 && problem.groups == 1 &&
         window.padding.h <= 2 && window.padding.w <= 2;
}

void forward(const Conv2dProblem& problem, const Tensor& x, const Tensor& weight,
             const Tensor& bias, Tensor& y) {
  dispatch_floating(x.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const Size2 tiles = tiles_of(problem.output);
    convolve<T>(
        {x.data<T>(), problem.images, problem.in_channels, problem.image, problem.window.padding,
         tiles},
        filters_forward(problem, weight.data<T>()), bias.defined() ? bias.data<T>() : nullptr,
        {y.mutable_data<T>(), problem.images, problem.out_channels, problem.output, 0, tiles});
  });
}

void backward_data(const Conv2dProblem& problem, const Tensor& weight, const Tensor& dy,
                   Tensor& dx) {
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const Size2 tiles = tiles_of(problem.image);
    const Size2 padding = problem.window.padding;
    convolve<T>(
        {dy.data<T>(),
         problem.images,
         problem.out_channels,
         problem.output,
         {2 - padding.h, 2 - padding.w},
         tiles},
        filters_backward(problem, weight.data<T>()), nullptr,
        {dx.mutable_data<T>(), problem.images, problem.in_channels, problem.image, 0, tiles});
  });
}

void backward_weight(const Conv2dProblem& problem, const Tensor& x, const Tensor& dy,
                     Tensor& dweight) {
  dispatch_floating(dy.dtype(), "conv2d", [&](auto zero) {
    using T = decltype(zero);
    const Size2 tiles = tiles_of(problem.output);
    backward_weight<T>(
        {x.data<T>(), problem.images, problem.in_channels, problem.image, problem.window.padding,
         tiles},
        {dy.data<T>(), problem.images, problem.out_channels, problem.output, 0, tiles},
        dweight.mutable_data<T>());
  });
}

}  // namespace pade::cpu::winograd
