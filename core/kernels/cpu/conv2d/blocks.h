#pragma once

#include <algorithm>

#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

/// How the work of a convolution is cut into blocks; by the problem's size alone.
namespace pade::cpu {

/// Enough to keep as many threads busy.
inline constexpr int64_t kEnoughBlocks = 16;

/// How many units of work, of so many multiplications each, are worth handing to a thread.
inline int64_t units_per_block(double multiplications) {
  constexpr double kWorthwhile = 5e5;  // 10 µs or so
  return std::max<int64_t>(1, static_cast<int64_t>(kWorthwhile / std::max(multiplications, 1.0)));
}

/// Of all partial sums of a weight gradient, in elements.
inline constexpr int64_t kMostPartials = 16'000'000;

/// Computes a weight gradient, a sum over images, in two steps: partial sums over fixed blocks of
/// images, at most `most_image_blocks`, then the sum of those, in order. Where there are fewer than
/// keep all threads busy, blocks also take apart the gradient into ranges of `pieces` pieces.
///
/// f(first image, end, first piece, end, partial): assigns what these images contribute to these
/// pieces of the gradient, which `partial` has the layout of.
template <class T, class F>
void sum_over_images(int64_t images, int64_t pieces, int64_t size, T* gradient, F&& f,
                     int64_t most_image_blocks = kEnoughBlocks) {
  if (images == 0 || size == 0) {
    std::fill_n(gradient, size, T{0});
    return;
  }
  const int64_t most_blocks = std::clamp<int64_t>(kMostPartials / size, 1, most_image_blocks);
  const int64_t images_per_block = blocks_of(images, most_blocks);
  const int64_t image_blocks = blocks_of(images, images_per_block);
  const int64_t pieces_per_block = blocks_of(pieces, blocks_of(kEnoughBlocks, image_blocks));
  const int64_t piece_blocks = blocks_of(pieces, pieces_per_block);

  Scratch<T> partials(image_blocks > 1 ? image_blocks * size : 0);
  parallel_blocks(image_blocks * piece_blocks, [&](int64_t block) {
    const int64_t image_block = block / piece_blocks;
    const int64_t image = image_block * images_per_block;
    const int64_t piece = block % piece_blocks * pieces_per_block;
    f(image, std::min(images, image + images_per_block), piece,
      std::min(pieces, piece + pieces_per_block),
      image_blocks > 1 ? partials.data() + image_block * size : gradient);
  });
  if (image_blocks == 1) return;
  constexpr int64_t kStrip = 512;
  parallel_for(size, kStrip, [&](int64_t begin, int64_t end) {
    double sums[kStrip] = {};
    for (int64_t block = 0; block < image_blocks; ++block) {
      const T* partial = partials.data() + block * size + begin;
      for (int64_t i = 0; i < end - begin; ++i) sums[i] += partial[i];
    }
    for (int64_t i = 0; i < end - begin; ++i) gradient[begin + i] = static_cast<T>(sums[i]);
  });
}

}  // namespace pade::cpu
