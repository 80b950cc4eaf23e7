#pragma once

#include <algorithm>

#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/kernels/cpu/transpose.h>
#include <pade/core/parallel.h>
#include <pade/core/size2.h>

/// Between planes, one channel after the other as tensors have them, and channels in lanes: as many
/// channels of a pixel beside each other as a vector register holds.
namespace pade::cpu {

/// A rectangle of pixels with channels in lanes, [rows][columns][lanes], laid over an image: its
/// first pixel is the image's pixel (first_row, first_column), which may lie outside of it.
template <class T>
struct LanesWindow {
  T* data;
  int64_t first_row, first_column, rows, columns;

  T* at(int64_t row, int64_t column) const {
    return data + (row * columns + column) * kLaneCount<T>;
  }
  int64_t size() const { return rows * columns * kLaneCount<T>; }
};

/// One of `size` pixels, in memory of its own.
template <class T>
struct OwnedWindow : LanesWindow<T> {
  OwnedWindow(Size2 first, Size2 size)
      : LanesWindow<T>{nullptr, first.h, first.w, size.h, size.w},
        memory(size.area() * kLaneCount<T>) {
    this->data = memory.data();
  }
  Scratch<T> memory;
};

namespace detail {

/// f(pixel, count, first row, first column): runs of as many pixels as there are lanes (the last
/// may be shorter) of the image's rows that the window covers, and where in the window they begin.
template <class T, class F>
inline void for_each_run(const LanesWindow<T>& window, Size2 image, F&& f) {
  const int64_t begin = std::max<int64_t>(0, window.first_row) * image.w;
  const int64_t end = std::min(image.h, window.first_row + window.rows) * image.w;
  for (int64_t pixel = begin; pixel < end; pixel += kLaneCount<T>)
    f(pixel, std::min<int64_t>(kLaneCount<T>, end - pixel), pixel / image.w - window.first_row,
      pixel % image.w);
}

/// f(i, place in the window) for each of a run's pixels. Unrolled where all lanes are used: what f
/// moves then stays in registers.
template <class T, class F>
inline void for_each_place(const LanesWindow<T>& window, Size2 image, int64_t row, int64_t column,
                           int64_t count, F&& f) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const int64_t margins = (window.columns - image.w) * kLanes;
  T* place = window.at(row, column - window.first_column);
  const auto next = [&](int64_t i) {
    f(i, place);
    const bool ends_row = ++column == image.w;
    place += ends_row ? kLanes + margins : kLanes;
    column = ends_row ? 0 : column;
  };
  if (count == kLanes) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < kLanes; ++i) next(i);
  } else {
    for (int64_t i = 0; i < count; ++i) next(i);
  }
}

}  // namespace detail

/// The next block's part of these planes, which comes next: as many streams as there are lanes are
/// more than processors foresee. Only where L1 holds it; behind the end of a tensor nothing is
/// fetched, and no error.
template <bool kToWrite, class T>
inline void prefetch_next_block(const T* planes, Size2 image) {
  constexpr int64_t kMostPixels = (32 << 10) / kLaneBytes;
  if (image.area() > kMostPixels) return;
  for (int64_t c = kLaneCount<T>; c < 2 * kLaneCount<T>; ++c)
    __builtin_prefetch(planes + c * image.area(), kToWrite);
}

/// Fills the window from `channels` planes of the image, at most as many as there are lanes. What
/// lies outside the image, and lanes without a channel, become zero. The window must be as wide as
/// the image, or wider.
template <class T>
void channels_to_lanes(const T* planes, int64_t channels, Size2 image,
                       const LanesWindow<T>& window) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const int64_t left = -window.first_column, right = left + image.w;
  for (int64_t row = 0; row < window.rows; ++row) {
    const bool inside = window.first_row + row >= 0 && window.first_row + row < image.h;
    std::fill_n(window.at(row, 0), (inside ? left : window.columns) * kLanes, T{0});
    if (inside) std::fill_n(window.at(row, right), (window.columns - right) * kLanes, T{0});
  }
  detail::for_each_run<T>(
      window, image, [&](int64_t pixel, int64_t count, int64_t row, int64_t column) {
        prefetch_next_block<false>(planes + pixel, image);
        Lanes<T> block[kLanes];
        if (channels == kLanes && count == kLanes) {
          for (int64_t c = 0; c < kLanes; ++c)
            block[c] = load_lanes(planes + c * image.area() + pixel);
        } else {
          for (int64_t c = 0; c < kLanes; ++c)
            block[c] = c < channels ? load_lanes(planes + c * image.area() + pixel, count, T{0})
                                    : Lanes<T>{};
        }
        transpose_lanes<T>(block);
        detail::for_each_place(window, image, row, column, count,
                               [&](int64_t i, T* place) { store_lanes<T>(place, block[i]); });
      });
}

/// The other way around: what of the window lies on the image. Where `kStreamed`, past the caches,
/// for planes aligned to kLaneBytes; see finish_streaming().
template <class T, bool kStreamed = false>
void lanes_to_channels(const LanesWindow<T>& window, Size2 image, int64_t channels, T* planes) {
  constexpr int64_t kLanes = kLaneCount<T>;
  detail::for_each_run<T>(
      window, image, [&](int64_t pixel, int64_t count, int64_t row, int64_t column) {
        Lanes<T> block[kLanes] = {};
        detail::for_each_place(window, image, row, column, count,
                               [&](int64_t i, const T* place) { block[i] = load_lanes(place); });
        transpose_lanes<T>(block);
        if constexpr (!kStreamed) prefetch_next_block<true>(planes + pixel, image);
        if (channels == kLanes && count == kLanes) {
          for (int64_t c = 0; c < kLanes; ++c)
            put_lanes<kStreamed, T>(planes + c * image.area() + pixel, block[c]);
        } else {
          for (int64_t c = 0; c < channels; ++c)
            store_lanes(planes + c * image.area() + pixel, block[c], count);
        }
      });
}

/// Images [N, channels, h, w] as blocks of as many channels as there are lanes; the last block may
/// have fewer.
template <class T>
struct ChannelBlocks {
  T* data;
  int64_t channels;
  Size2 size;

  int64_t count() const { return blocks_of(channels, kLaneCount<T>); }
  int64_t channels_in(int64_t block) const {
    return std::min<int64_t>(kLaneCount<T>, channels - block * kLaneCount<T>);
  }
  T* planes(int64_t image, int64_t block) const {
    return data + (image * channels + block * kLaneCount<T>)*size.area();
  }
  template <class U>
  void load(int64_t image, int64_t block, const LanesWindow<U>& window) const {
    channels_to_lanes<U>(planes(image, block), channels_in(block), size, window);
  }
  template <bool kStreamed = false>
  void store(int64_t image, int64_t block, const LanesWindow<T>& window) const {
    lanes_to_channels<T, kStreamed>(window, size, channels_in(block), planes(image, block));
  }
};

}  // namespace pade::cpu
