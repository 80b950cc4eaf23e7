#include <algorithm>
#include <cstring>

#include <pade/core/kernels/cpu/blocked_layout.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// x or y, or their gradients: [images][channels][pixels].
template <class T>
struct Side {
  T* data;
  int64_t images, channels, pixels;

  T* plane(int64_t image, int64_t channel) const {
    return data + (image * channels + channel) * pixels;
  }
};

// ---- The forward pass, and the gradient of the image: a product with the image as it is

/// Pixels that are multiplied at once: a tile's width.
template <class T>
inline constexpr int64_t kColumns = kTileVectors* kLaneCount<T>;

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
  const T* data;
  int64_t stride;  // from one term to the next
  int64_t lines;   // of each term, a vector each
};

/// out[r][p] = start[r] + Σ_t weights[r][t] · in[t][p] for a tile; `start` may be null: zeros.
template <int kRows, bool kStream, class T>
void multiply_tile(const Weights<T>& weights, const T* in, int64_t terms, const T* start, T* out,
                   int64_t out_stride, Ahead<T> ahead) {
  constexpr int kLanes = kLaneCount<T>;
  const T* weight = weights.data;
  const int64_t row_stride = weights.row_stride;
  RegisterTile<Lanes<T>, kRows, kTileVectors> tile;
  tile.for_each([=](int r, int, Lanes<T>& sum) { sum = Lanes<T>{} + (start ? start[r] : T{0}); });
  for (int64_t t = 0; t < terms; ++t, weight += weights.term_stride, in += kColumns<T>) {
    for (int64_t line = 0; line < ahead.lines; ++line)
      __builtin_prefetch(ahead.data + t * ahead.stride + line * kLanes, 0, 2);
    tile.add([=](int r) { return weight[r * row_stride]; },
             [=](int v) { return load_lanes(in + v * kLanes); });
  }
  tile.for_each([=](int r, int v, const Lanes<T>& sum) {
    put_lanes<kStream, T>(out + r * out_stride + v * kLanes, sum);
  });
}

/// f(image, first pixel there, first column of the block, pixels) for every part of the block of
/// kColumns pixels that begins at `begin`. Pixels of all images count one after another: where an
/// image has few, a block is of several.
template <class T, class F>
void for_each_part(const Side<T>& side, int64_t begin, F&& f) {
  const int64_t end = std::min(begin + kColumns<T>, side.images * side.pixels);
  for (int64_t at = begin, stop; at < end; at = stop) {
    const int64_t image = at / side.pixels;
    stop = std::min(end, (image + 1) * side.pixels);
    f(image, at - image * side.pixels, at - begin, stop - at);
  }
}

/// to = weights · from, image by image.
template <class T>
void multiply(const Weights<T>& weights, const Side<const T>& from, const T* bias,
              const Side<T>& to) {
  if (to.channels == 0) return;
  constexpr int64_t kMostRanges = 64;  // of pixels, one for a thread after the other
  const int64_t pixels = from.pixels, count = from.images * pixels;
  const double multiplications =
      static_cast<double>(from.channels) * static_cast<double>(to.channels * kColumns<T>);
  // Long enough for most of what is fetched ahead to be for the same thread.
  const int64_t blocks_at_once =
      std::max(units_per_block(multiplications), count / kColumns<T> / kMostRanges);
  const int64_t lines_per_tile = blocks_of(kTileVectors, blocks_of(to.channels, kTileRows));
  const bool streams = is_streamed<T>(count * to.channels, pixels);
  parallel_for(count, blocks_at_once * kColumns<T>, [&](int64_t begin, int64_t end) {
    const Scratch<T> in(from.channels * kColumns<T>, T{0}), out(kTileRows * kColumns<T>);
    for (int64_t column = begin; column < end; column += kColumns<T>) {
      T* whole = nullptr;  // where the results go, if they are one run of kColumns
      for_each_part(to, column, [&](int64_t image, int64_t pixel, int64_t at, int64_t run) {
        for (int64_t c = 0; c < from.channels; ++c)
          copy_run(from.plane(image, c) + pixel, in.data() + c * kColumns<T> + at, run);
        whole = run == kColumns<T> ? to.plane(image, 0) + pixel : nullptr;
      });
      const int64_t next = column + kColumns<T>;
      const T* ahead = from.plane(next / pixels, 0) + next % pixels;
      int64_t line = 0;
      for_each_tile<kTileRows>(to.channels, [&](int64_t o, auto rows) {
        const int64_t lines = std::min(lines_per_tile, kTileVectors - line);
        const auto multiply_rows =
            whole && streams ? multiply_tile<rows, true, T> : multiply_tile<rows, false, T>;
        multiply_rows(
            {weights.data + o * weights.row_stride, weights.row_stride, weights.term_stride},
            in.data(), from.channels, bias ? bias + o : nullptr,
            whole ? whole + o * pixels : out.data(), whole ? pixels : kColumns<T>,
            {ahead + line * kLaneCount<T>, std::max(pixels, kColumns<T>), next < end ? lines : 0});
        line += lines;
        if (whole) return;
        for_each_part(to, column, [&](int64_t image, int64_t pixel, int64_t at, int64_t run) {
          for (int64_t r = 0; r < rows; ++r)
            copy_run(out.data() + r * kColumns<T> + at, to.plane(image, o + r) + pixel, run);
        });
      });
    }
    finish_streaming();
  });
}

template <class T>
void forward(const Conv2dProblem& p, const T* x, const T* weight, const T* bias, T* y) {
  const int64_t pixels = p.output.area();
  multiply<T>({weight, p.in_channels, 1}, {x, p.images, p.in_channels, pixels}, bias,
              {y, p.images, p.out_channels, pixels});
}

template <class T>
void backward_data(const Conv2dProblem& p, const T* weight, const T* dy, T* dx) {
  const int64_t pixels = p.output.area();
  multiply<T>({weight, 1, p.in_channels}, {dy, p.images, p.out_channels, pixels}, nullptr,
              {dx, p.images, p.in_channels, pixels});
}

// ---- The gradient of the weights: each channel of x times each of dy, summed over all pixels. The
// side of fewer channels is copied with channels in lanes. The other, which is most of what is
// read, stays as it is, and its numbers are taken one by one.

/// Of a tile of sums that stay in registers: channels of the one side, and vectors of the other's.
constexpr int kTilePlanes = kTileVectors == 4 ? 8 : 4;
constexpr int kTileLanes = kTileVectors == 4 ? 3 : 2;
constexpr int kTileHalves = 3;

/// Of the side in lanes, at a time: enough to pay for loading and storing the sums, and L2 holds
/// them.
constexpr int64_t kEnoughPixels = 256;

/// Images of few pixels made larger: so many beside each other as one, in memory of its own. What
/// is left of the last one is zeros, which add nothing.
template <class T>
class Joined {
 public:
  Joined(const Side<const T>& from, int64_t images)
      : memory_(blocks_of(from.images, images) * from.channels * images * from.pixels) {
    const Side<T> to{memory_.data(), blocks_of(from.images, images), from.channels,
                     images * from.pixels};
    constexpr int64_t kChannels = 32;  // at a time, whose runs L1 holds
    const int64_t blocks = blocks_of(to.channels, kChannels);
    const int64_t at_once = blocks_of(kElementBlock, kChannels * to.pixels);
    parallel_for(to.images * blocks, at_once, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t image = unit / blocks, first = image * images;
        const int64_t count = std::min(images, from.images - first);
        const int64_t channel = unit % blocks * kChannels;
        const int64_t last = std::min(channel + kChannels, to.channels);
        for (int64_t n = 0; n < count; ++n)
          for (int64_t c = channel; c < last; ++c)
            copy_run(from.plane(first + n, c), to.plane(image, c) + n * from.pixels, from.pixels);
        for (int64_t c = channel; c < last; ++c)
          std::fill(to.plane(image, c) + count * from.pixels, to.plane(image, c + 1), T{0});
      }
    });
    side = {to.data, to.images, to.channels, to.pixels};
  }

  Side<const T> side;

 private:
  Scratch<T> memory_;
};

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
[[gnu::noinline]] void correlate_tile(const CorrelateTile<T>& of) {
  constexpr int kLanes = kLaneCount<T>, kPart = sizeof(L) / sizeof(T), kParts = kLanes / kPart;
  const auto place = [](int v, int64_t stride) { return v / kParts * stride + v % kParts * kPart; };
  const int64_t pixels = of.pixels, in_stride = of.in_stride;
  if (pixels == 0) return;
  const auto sums = [&](int r, int v) { return of.sums + place(v, of.sums_stride) + r * kLanes; };
  RegisterTile<L, kPlanes, kVectors> tile;
  tile.for_each([&](int r, int v, L& sum) { std::memcpy(&sum, sums(r, v), sizeof(L)); });
  const T *planes = of.planes, *in = of.in, *ahead = of.ahead;
  int64_t lines = of.lines;
  for (int64_t n = 0; n < of.images; ++n, planes += of.image_stride)
    for (int64_t p = 0; p < pixels; ++p, in += kLanes, ahead += kLanes) {
      __builtin_prefetch(planes + (kPlanes + p % kPlanes) * pixels + p, 0, 2);
      if (lines-- > 0) __builtin_prefetch(ahead, 0, 2);
      tile.add([=](int r) { return hold_in_every_lane<L>(planes[r * pixels + p]); },
               [=](int v) {
                 L vector;
                 std::memcpy(&vector, in + place(v, in_stride), sizeof(L));
                 return held(vector);
               });
    }
  tile.for_each([&](int r, int v, const L& sum) { std::memcpy(sums(r, v), &sum, sizeof(L)); });
}

/// f<L, number of vectors>(first block) for the tiles that make up so many channels. Measured: one
/// vector alone is slower than two of half as many lanes, and where a half would stay empty three
/// of these are ahead.
template <class T, class F>
void for_each_lanes_tile(int64_t channels, F&& f) {
  constexpr int kHalf = sizeof(HalfLanes<T>) / sizeof(T), kHalves = kLaneCount<T> / kHalf;
  const int64_t halves = blocks_of(channels, kHalf);
  const int64_t last = halves % kHalves == 0 ? 0 : std::min<int64_t>(kTileHalves, halves);
  const int64_t blocks = (halves - last) / kHalves;
  for_each_tile<kTileLanes>(blocks, [&](int64_t block, auto vectors) {
    if constexpr (vectors == 1)
      f.template operator()<HalfLanes<T>, kHalves>(block);
    else
      f.template operator()<Lanes<T>, vectors>(block);
  });
  if (last > 0)
    with_constant<kTileHalves>(
        last, [&](auto vectors) { f.template operator()<HalfLanes<T>, vectors>(blocks); });
}

/// gradient[channel of many][channel of few], or the other way around.
template <class T>
void correlate(const Side<const T>& many, const Side<const T>& few, bool other_way, T* gradient) {
  constexpr int64_t kLanes = kLaneCount<T>;
  // Measured: sums of fewer pixels are not worth being added up afterwards. Then rather several
  // blocks have the same images to copy.
  constexpr int64_t kPixelsOfPartial = 512;
  const int64_t pixels = many.pixels;
  const int64_t most_images = std::max<int64_t>(1, kEnoughPixels / std::max<int64_t>(1, pixels));
  const ChannelBlocks<const T> blocks{few.data, few.channels, {1, pixels}};
  sum_over_images(
      many.images, blocks_of(many.channels, kTilePlanes), many.channels * few.channels, gradient,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        const int64_t first = begin * kTilePlanes;
        const int64_t planes = std::min(end * kTilePlanes, many.channels) - first;
        const int64_t images_at_once = std::min(most_images, end_image - first_image);
        const int64_t in_stride = images_at_once * pixels * kLanes, sums_stride = planes * kLanes;
        const Scratch<T> in(blocks.count() * in_stride), sums(blocks.count() * sums_stride, T{0});
        for (int64_t image = first_image; image < end_image; image += images_at_once) {
          const int64_t images = std::min(images_at_once, end_image - image), next = image + images;
          for (int64_t n = 0; n < images; ++n)
            for (int64_t block = 0; block < blocks.count(); ++block)
              blocks.load(image + n, block,
                          LanesWindow<T>{in.data() + block * in_stride + n * pixels * kLanes, 0, 0,
                                         1, pixels});
          // Of what is copied next, each tile of planes fetches a part.
          const int64_t of_next =
              std::min(images_at_once, end_image - next) * few.channels * pixels;
          const int64_t lines = blocks_of(of_next, kLanes * (end - begin));
          const T* ahead = few.plane(next, 0);
          for_each_tile<kTilePlanes>(planes, [&](int64_t r, auto tile_planes) {
            for_each_lanes_tile<T>(few.channels, [&]<class L, int kVectors>(int64_t block) {
              correlate_tile<L, tile_planes, kVectors>(
                  CorrelateTile<T>{many.plane(image, first + r), images, many.channels * pixels,
                                   pixels, in.data() + block * in_stride, in_stride,
                                   sums.data() + block * sums_stride + r * kLanes, sums_stride,
                                   ahead, block == 0 ? lines : 0});
            });
            ahead += lines * kLanes;
          });
        }
        for (int64_t block = 0; block < blocks.count(); ++block) {
          const int64_t channel = block * kLanes, channels = blocks.channels_in(block);
          T* of_block = sums.data() + block * sums_stride;
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
void correlate(const Side<const T>& x, const Side<const T>& dy, T* dweight) {
  const bool fewer_in = x.channels <= dy.channels;
  correlate(fewer_in ? dy : x, fewer_in ? x : dy, !fewer_in, dweight);
}

template <class T>
void backward_weight(const Conv2dProblem& p, const T* x_data, const T* dy_data, T* dweight) {
  const int64_t images = p.images, pixels = p.output.area();
  const Side<const T> x{x_data, images, p.in_channels, pixels};
  const Side<const T> dy{dy_data, images, p.out_channels, pixels};
  if (images == 0 || pixels == 0 || pixels >= kLaneCount<T>) return correlate(x, dy, dweight);
  const int64_t images_at_once = std::min(images, blocks_of(kEnoughPixels, pixels));
  correlate(Joined<T>(x, images_at_once).side, Joined<T>(dy, images_at_once).side, dweight);
}

bool is_possible(const Conv2dProblem& problem, DType) {
  const Window& window = problem.window;
  return window.kernel == 1 && window.stride == 1 && window.padding == 0 && problem.groups == 1;
}

}  // namespace

const Method kPointwise{"pointwise",
                        is_possible,
                        {forward<float>, backward_data<float>, backward_weight<float>},
                        {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
