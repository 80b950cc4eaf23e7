#pragma once

#include <algorithm>
#include <numeric>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/winograd.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

/// Images cut into tiles, and their transforms.
namespace pade::cpu::winograd {

/// What a convolution goes over: images [N, C, H, W], cut into tiles of `kOutput` by `kOutput`
/// outputs with `padding` zeros around.
template <class T>
struct TiledImages {
  int64_t images;
  ChannelBlocks<T> blocks;
  Size2 padding, tiles;

  TiledImages images_in(int64_t begin, int64_t end) const {
    return {end - begin, {blocks.planes(begin, 0), blocks.channels, blocks.size}, padding, tiles};
  }
};

inline Size2 tiles_of(Size2 outputs) {
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

 private:
  int64_t row_parts() const { return blocks_of(tiles_.h, rows_per_chunk_); }

  int64_t images_;
  Size2 tiles_;
  int64_t images_per_chunk_, rows_per_chunk_;
};

/// The transforms of tiles: at each of the points a matrix with a row of channels for each tile.
template <class T>
class TileTransforms {
 public:
  TileTransforms(int64_t tiles, int64_t channels)
      : channels(channels),
        tile_stride(blocks_of(channels, kLaneCount<T>) * kLaneCount<T>),
        // Not a power of two, which caches take badly.
        point_stride(tiles * tile_stride + kLaneCount<T>),
        memory_(kPoints * point_stride) {}
  T* at(int64_t tile, int64_t block, int64_t point) const {
    return memory_.data() + point * point_stride + tile * tile_stride + block * kLaneCount<T>;
  }

  const int64_t channels, tile_stride, point_stride;

 private:
  Scratch<T> memory_;
};

/// The tiles of a chunk, of Transform::kFrom by kFrom pixels each, as rows of the matrices.
template <class T, class Transform>
void transform_tiles(const TiledImages<const T>& from, const Chunk& chunk, TileTransforms<T>& to) {
  constexpr int64_t kMargin = Transform::kFrom - kOutput;
  const int64_t blocks = from.blocks.count();
  parallel_blocks(chunk.images * blocks, [&](int64_t unit) {
    const int64_t n = unit / blocks, block = unit % blocks;
    const OwnedWindow<T> window({chunk.row * kOutput - from.padding.h, -from.padding.w},
                                {chunk.rows * kOutput + kMargin, from.tiles.w * kOutput + kMargin});
    from.blocks.load(chunk.image + n, block, window);
    const int64_t columns = window.columns;
    int64_t tile = chunk.first_tile(n);
    for (int64_t i = 0; i < chunk.rows; ++i)
      for (int64_t j = 0; j < from.tiles.w; ++j, ++tile) {
        const T* const corner = window.at(i * kOutput, j * kOutput);
        T* const out = to.at(tile, block, 0);
        transform_tile<T, Transform>(
            [=](int row, int column) {
              return load_lanes(corner + (row * columns + column) * kLaneCount<T>);
            },
            [out, stride = to.point_stride](int row, int column, const Lanes<T>& value) {
              store_lanes(out + (row * kInput + column) * stride, value);
            });
      }
  });
}

/// The outputs of a chunk from their transforms, with the bias added where there is one.
template <class T>
void transform_outputs(const TileTransforms<T>& from, const Chunk& chunk, const T* bias,
                       const TiledImages<T>& to) {
  const int64_t blocks = to.blocks.count();
  const Size2 size = to.blocks.size;
  // A chunk begins with the first pixel of a row of tiles.
  const bool streams = is_streamed<T>(to.images * to.blocks.channels * size.area(),
                                      std::gcd(size.area(), kOutput * size.w));
  parallel_blocks(chunk.images * blocks, [&](int64_t unit) {
    const int64_t n = unit / blocks, block = unit % blocks;
    const OwnedWindow<T> window({chunk.row * kOutput, 0},
                                {chunk.rows * kOutput, to.tiles.w * kOutput});
    const Lanes<T> added =
        bias ? load_lanes(bias + block * kLaneCount<T>, to.blocks.channels_in(block), T{0})
             : Lanes<T>{};
    const int64_t columns = window.columns;
    int64_t tile = chunk.first_tile(n);
    for (int64_t i = 0; i < chunk.rows; ++i)
      for (int64_t j = 0; j < to.tiles.w; ++j, ++tile) {
        const T* const in = from.at(tile, block, 0);
        T* const corner = window.at(i * kOutput, j * kOutput);
        transform_tile<T, OutputTransform>(
            [in, stride = from.point_stride](int row, int column) {
              return load_lanes(in + (row * kInput + column) * stride);
            },
            [=](int row, int column, const Lanes<T>& value) {
              store_lanes<T>(corner + (row * columns + column) * kLaneCount<T>, value + added);
            });
      }
    if (streams) {
      to.blocks.template store<true>(chunk.image + n, block, window);
      finish_streaming();
    } else {
      to.blocks.store(chunk.image + n, block, window);
    }
  });
}

}  // namespace pade::cpu::winograd
