#pragma once

#include <algorithm>

#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/winograd.h>
#include <pade/core/kernels/cpu/register_tile.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/kernels/cpu/transpose.h>
#include <pade/core/parallel.h>

/// The transforms of filters, and of their gradients.
namespace pade::cpu::winograd {

/// The transforms of filters, a matrix for each of the points, of a row for each channel that they
/// go over, and a column for each that they make. It is cut into panels of columns, as many as
/// are multiplied at once: [point][panel][row][columns].
template <class T>
class FilterTransforms {
 public:
  /// In memory of its own, or of the caller's.
  FilterTransforms(int64_t rows, int64_t columns, T* data = nullptr)
      : rows(rows),
        columns(columns),
        width(first_tile(blocks_of(columns, kLaneCount<T>), kTileVectors) * kLaneCount<T>),
        // Not a power of two, which caches take badly.
        point_stride(panels() * rows * width + kLaneCount<T>),
        memory_(data ? 0 : kPoints * point_stride),
        data_(data ? data : memory_.data()) {}
  int64_t panels() const { return blocks_of(columns, width); }
  int64_t vectors_in(int64_t panel) const {
    return blocks_of(std::min(width, columns - panel * width), kLaneCount<T>);
  }
  int64_t panel_size() const { return rows * width; }
  int64_t size() const { return kPoints * point_stride; }
  int64_t bytes() const { return size() * int64_t{sizeof(T)}; }
  T* data() const { return data_; }
  T* panel(int64_t point, int64_t panel) const {
    return data_ + point * point_stride + panel * panel_size();
  }
  /// Of the first point; of the others, point_stride further each.
  T* at(int64_t row, int64_t column) const {
    return panel(0, column / width) + row * width + column % width;
  }

  const int64_t rows, columns, width, point_stride;

 private:
  Scratch<T> memory_;
  T* data_;
};

inline constexpr int64_t kTaps = 9;

/// Filters of a convolution from rows to columns: weight [O, C, 3, 3], or flipped for the backward
/// pass, which goes from the output's channels to the input's.
template <class T>
struct Filters {
  const T* weight;
  int64_t row_stride, column_stride;
  bool flipped;
};

/// The taps of as many filters as there are lanes, a filter in a lane.
template <class T>
struct Taps {
  static constexpr int64_t kLanes = kLaneCount<T>, kGroups = (kTaps + kLanes - 1) / kLanes;

  /// Of `count` filters, `stride` apart; the others are zeros.
  void load(const T* filters, int64_t stride, int64_t count) {
    for (int64_t group = 0; group < kGroups; ++group) {
      Lanes<T>(&block)[kLanes] = taps_[group];
      for (int64_t lane = 0; lane < kLanes; ++lane)
        block[lane] = lane < count ? load_lanes(filters + lane * stride + group * kLanes,
                                                taps_in(group), T{0})
                                   : Lanes<T>{};
      transpose_lanes<T>(block);
    }
  }
  void store(T* filters, int64_t stride, int64_t count) {
    for (int64_t group = 0; group < kGroups; ++group) {
      transpose_lanes<T>(taps_[group]);
      for (int64_t lane = 0; lane < count; ++lane)
        store_lanes<T>(filters + lane * stride + group * kLanes, taps_[group][lane],
                       taps_in(group));
    }
  }
  Lanes<T>& operator[](int64_t tap) { return taps_[tap / kLanes][tap % kLanes]; }

 private:
  static int64_t taps_in(int64_t group) { return std::min(kLanes, kTaps - group * kLanes); }

  Lanes<T> taps_[kGroups][kLanes] = {};
};

template <class T>
void transform_filters(const Filters<T>& filters, FilterTransforms<T>& to) {
  constexpr int64_t kLanes = kLaneCount<T>;
  parallel_blocks(blocks_of(to.columns, kLanes), [&](int64_t block) {
    const int64_t first = block * kLanes, count = std::min(kLanes, to.columns - first);
    const T* weight = filters.weight + first * filters.column_stride;
    for (int64_t row = 0; row < to.rows; ++row, weight += filters.row_stride) {
      Taps<T> taps;
      taps.load(weight, filters.column_stride, count);
      transform_tile<T, FilterTransform>(
          [&](int row, int column) {
            const int tap = 3 * row + column;
            return taps[filters.flipped ? kTaps - 1 - tap : tap];
          },
          [out = to.at(row, first), stride = to.point_stride](int row, int column,
                                                              const Lanes<T>& value) {
            store_lanes<T>(out + (row * kInput + column) * stride, value);
          });
    }
  });
}

/// dweight [O, C, 3, 3] from its transform.
template <class T>
void transform_filter_gradient(const FilterTransforms<T>& from, T* dweight) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const int64_t in_channels = from.rows, out_channels = from.columns;
  parallel_blocks(blocks_of(out_channels, kLanes), [&](int64_t block) {
    const int64_t first = block * kLanes, count = std::min(kLanes, out_channels - first);
    for (int64_t c = 0; c < in_channels; ++c) {
      const T* in = from.at(c, first);
      Taps<T> taps;
      transform_tile<T, FilterGradientTransform>(
          [in, stride = from.point_stride](int row, int column) {
            return load_lanes(in + (row * kInput + column) * stride);
          },
          [&](int row, int column, const Lanes<T>& value) { taps[3 * row + column] = value; });
      taps.store(dweight + (first * in_channels + c) * kTaps, in_channels * kTaps, count);
    }
  });
}

}  // namespace pade::cpu::winograd
