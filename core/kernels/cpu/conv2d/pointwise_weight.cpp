#include <algorithm>
#include <cstring>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

/// The gradient of the weights: each channel of x times each of dy, summed over all pixels. Of
/// these two sides the one of fewer channels is laid out with channels in lanes. The other, which
/// is most of what is read, stays as it is, and its numbers are taken one by one.
namespace pade::cpu {
namespace {

/// Of a tile of sums that stay in registers: channels of the one side, and vectors of the other's.
constexpr int kTilePlanes = kTileVectors == 4 ? 8 : 4;
constexpr int kTileLanes = kTileVectors == 4 ? 3 : 2;
constexpr int kTileHalves = 3;

/// Of the side in lanes, at a time: enough to pay for loading and storing the sums, and L2 holds
/// them.
constexpr int64_t kEnoughPixels = 256;

/// x or dy: [images][channels][pixels].
template <class T>
struct Side {
  const T* data;
  int64_t images, channels, pixels;

  const T* plane(int64_t image, int64_t channel) const {
    return data + (image * channels + channel) * pixels;
  }
};

// ------------------------------------------------------------- images of few pixels, made larger

/// So many images beside each other as one; what is left of the last one is zeros, which add
/// nothing.
template <class T>
class Beside {
 public:
  Beside(const Side<T>& from, int64_t images)
      : side_{nullptr, blocks_of(from.images, images), from.channels, images * from.pixels},
        scratch_(side_.images * side_.channels * side_.pixels) {
    side_.data = scratch_.data();
    fill(from, images);
  }
  const Side<T>& side() const { return side_; }

 private:
  void fill(const Side<T>& from, int64_t images) {
    constexpr int64_t kChannels = 32;  // at a time, whose runs L1 holds
    const int64_t blocks = blocks_of(side_.channels, kChannels);
    parallel_for(side_.images * blocks, blocks_of(kElementBlock, kChannels * side_.pixels),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t unit = begin; unit < end; ++unit)
                     fill(from, images, unit / blocks, unit % blocks * kChannels,
                          std::min(side_.channels, (unit % blocks + 1) * kChannels));
                 });
  }
  /// Channels [begin, end) of one image.
  void fill(const Side<T>& from, int64_t images, int64_t image, int64_t begin, int64_t end) {
    const int64_t first = image * images, count = std::min(images, from.images - first);
    T* const runs = scratch_.data() + (image * side_.channels) * side_.pixels;
    for (int64_t n = 0; n < count; ++n)
      for (int64_t c = begin; c < end; ++c)
        copy_run(from.plane(first + n, c), runs + c * side_.pixels + n * from.pixels, from.pixels);
    for (int64_t c = begin; c < end; ++c)
      std::fill(runs + c * side_.pixels + count * from.pixels, runs + (c + 1) * side_.pixels, T{0});
  }

  Side<T> side_;
  Scratch<T> scratch_;
};

// -------------------------------------------------------------------------- sums over the pixels

/// Some channels of the one side and some vectors of the other's, over the pixels of some images.
template <class T>
struct CorrelateTile {
  const T* planes;
  int64_t images, image_stride, pixels;
  const T* in;  // [block of channels][image][pixel][lanes]
  int64_t in_stride;
  T* sums;  // [block of channels][plane][lanes]
  int64_t sums_stride;
  const T* ahead;  // to be fetched meanwhile,
  int64_t lines;   // as many vectors
};

/// sums[v][r] += Σ_p planes[r][p] · in[v][p], with channels in the lanes, L, of sums and in.
/// Fetches the next tile's planes. Not inlined, as then not all sums would stay in registers.
template <class L, int kPlanes, int kVectors, class T>
[[gnu::noinline]] void correlate_tile(const CorrelateTile<T>& tile) {
  constexpr int kLanes = kLaneCount<T>, kPart = sizeof(L) / sizeof(T), kParts = kLanes / kPart;
  const auto place = [](int v, int64_t stride) { return v / kParts * stride + v % kParts * kPart; };
  const int64_t pixels = tile.pixels;
  if (pixels == 0) return;
  L sums[kPlanes][kVectors];
  for (int r = 0; r < kPlanes; ++r)
    for (int v = 0; v < kVectors; ++v)
      std::memcpy(&sums[r][v], tile.sums + place(v, tile.sums_stride) + r * kLanes, sizeof(L));
  const T *planes = tile.planes, *in = tile.in, *ahead = tile.ahead;
  int64_t lines = tile.lines;
  for (int64_t n = 0; n < tile.images; ++n, planes += tile.image_stride)
    for (int64_t p = 0; p < pixels; ++p, in += kLanes, ahead += kLanes) {
      __builtin_prefetch(planes + (kPlanes + p % kPlanes) * pixels + p, 0, 2);
      if (lines-- > 0) __builtin_prefetch(ahead, 0, 2);
      L vectors[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        std::memcpy(&vectors[v], in + place(v, tile.in_stride), sizeof(L));
        hold_lanes(vectors[v]);
      }
      for (int r = 0; r < kPlanes; ++r) {
        const L one = hold_in_every_lane<L>(planes[r * pixels + p]);
        for (int v = 0; v < kVectors; ++v) sums[r][v] += vectors[v] * one;
      }
    }
  for (int r = 0; r < kPlanes; ++r)
    for (int v = 0; v < kVectors; ++v)
      std::memcpy(tile.sums + place(v, tile.sums_stride) + r * kLanes, &sums[r][v], sizeof(L));
}

/// The side with channels in lanes, some images of it at a time.
template <class T>
class LaidOut {
 public:
  LaidOut(const Side<T>& side, int64_t images)
      : side_(side),
        stride(images * side.pixels * kLaneCount<T>),
        scratch_(blocks_of(side.channels, kLaneCount<T>) * stride) {}
  void fill(int64_t first, int64_t images) {
    for (int64_t n = 0; n < images; ++n)
      for (int64_t channel = 0; channel < side_.channels; channel += kLaneCount<T>)
        channels_to_lanes(side_.plane(first + n, channel),
                          std::min<int64_t>(kLaneCount<T>, side_.channels - channel),
                          Size2{1, side_.pixels},
                          LanesWindow<T>{at(channel / kLaneCount<T>)  // of its first image
                                             + n * side_.pixels * kLaneCount<T>,
                                         0, 0, 1, side_.pixels});
  }
  T* at(int64_t block) { return scratch_.data() + block * stride; }

 private:
  Side<T> side_;

 public:
  const int64_t stride;  // from one block of channels to the next

 private:
  Scratch<T> scratch_;
};

/// f<L, number of vectors>(first block) for the tiles that make up so many channels. Measured: one
/// vector alone is slower than two of half as many lanes, and where a half would stay empty three
/// of these are ahead.
template <class T, class F>
void for_each_tile(int64_t channels, F&& f) {
  constexpr int kHalf = sizeof(HalfLanes<T>) / sizeof(T), kHalves = kLaneCount<T> / kHalf;
  const int64_t halves = blocks_of(channels, kHalf);
  const int64_t last = halves % kHalves == 0 ? 0 : std::min<int64_t>(kTileHalves, halves);
  const int64_t blocks = (halves - last) / kHalves;
  for (int64_t block = 0, count; block < blocks; block += count) {
    count = first_tile(blocks - block, kTileLanes);
    with_constant<kTileLanes>(count, [&](auto vectors) {
      if constexpr (vectors.value == 1)
        f.template operator()<HalfLanes<T>, kHalves>(block);
      else
        f.template operator()<Lanes<T>, vectors.value>(block);
    });
  }
  if (last > 0)
    with_constant<kTileHalves>(
        last, [&](auto vectors) { f.template operator()<HalfLanes<T>, vectors.value>(blocks); });
}

/// gradient[channel of many][channel of few], or the other way around.
template <class T>
void correlate(const Side<T>& many, const Side<T>& few, bool other_way, T* gradient) {
  constexpr int64_t kLanes = kLaneCount<T>;
  // Measured: sums of fewer pixels are not worth being added up afterwards. Then rather several
  // blocks have the same images to lay out.
  constexpr int64_t kPixelsOfPartial = 512;
  const int64_t pixels = many.pixels;
  const int64_t most_images = std::max<int64_t>(1, kEnoughPixels / std::max<int64_t>(1, pixels));
  sum_over_images(
      many.images, blocks_of(many.channels, kTilePlanes), many.channels * few.channels, gradient,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        const int64_t first = begin * kTilePlanes;
        const int64_t planes = std::min(end * kTilePlanes, many.channels) - first;
        const int64_t images_at_once = std::min(most_images, end_image - first_image);
        LaidOut<T> in(few, images_at_once);
        const int64_t sums_stride = planes * kLanes;
        const int64_t sums_size = blocks_of(few.channels, kLanes) * sums_stride;
        Scratch<T> sums(sums_size);
        std::fill_n(sums.data(), sums_size, T{0});
        for (int64_t image = first_image; image < end_image; image += images_at_once) {
          const int64_t images = std::min(images_at_once, end_image - image), next = image + images;
          in.fill(image, images);
          // Of what is laid out next, each tile of planes fetches a part.
          const int64_t of_next =
              std::min(images_at_once, end_image - next) * few.channels * pixels;
          const int64_t lines = blocks_of(of_next, kLanes * (end - begin));
          const T* ahead = few.plane(next, 0);
          for (int64_t r = 0, count; r < planes; r += count, ahead += lines * kLanes) {
            count = first_tile(planes - r, kTilePlanes);
            with_constant<kTilePlanes>(count, [&](auto tile_planes) {
              for_each_tile<T>(few.channels, [&]<class L, int kVectors>(int64_t block) {
                correlate_tile<L, tile_planes.value, kVectors>(CorrelateTile<T>{
                    many.plane(image, first + r), images, many.channels * pixels, pixels,
                    in.at(block), in.stride, sums.data() + block * sums_stride + r * kLanes,
                    sums_stride, ahead, block == 0 ? lines : 0});
              });
            });
          }
        }
        for (int64_t channel = 0; channel < few.channels; channel += kLanes) {
          const int64_t channels = std::min(kLanes, few.channels - channel);
          T* of_block = sums.data() + channel / kLanes * sums_stride;
          if (other_way)
            lanes_to_channels(LanesWindow<T>{of_block, first, 0, planes, 1},
                              Size2{many.channels, 1}, channels, partial + channel * many.channels);
          else
            for (int64_t r = 0; r < planes; ++r)
              copy_run(of_block + r * kLanes, partial + (first + r) * few.channels + channel,
                       channels);
        }
      },
      std::clamp<int64_t>(many.images * pixels / kPixelsOfPartial, 1, kEnoughBlocks));
}

template <class T>
void correlate(const Side<T>& in, const Side<T>& out, T* dweight) {
  if (in.channels <= out.channels)
    correlate(out, in, false, dweight);
  else
    correlate(in, out, true, dweight);
}

}  // namespace

template <class T>
void pointwise_backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const int64_t images = problem.images, pixels = problem.output.area();
  const Side<T> in{x, images, problem.in_channels, pixels};
  const Side<T> out{dy, images, problem.out_channels, pixels};
  if (images == 0 || pixels == 0 || pixels >= kLaneCount<T>) return correlate(in, out, dweight);
  const int64_t images_beside = std::min(images, blocks_of(kEnoughPixels, pixels));
  const Beside<T> wide_in(in, images_beside), wide_out(out, images_beside);
  correlate(wide_in.side(), wide_out.side(), dweight);
}

template void pointwise_backward_weight(const Conv2dProblem& problem, const float* x,
                                        const float* dy, float* dweight);
template void pointwise_backward_weight(const Conv2dProblem& problem, const double* x,
                                        const double* dy, double* dweight);

}  // namespace pade::cpu
