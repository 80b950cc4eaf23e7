#pragma once

#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/problems.h>
#include <pade/core/parallel.h>

namespace pade::cpu {

/// A padded copy of a channel, or of the part of it that some rows of the output see, in which
/// neighbours for a tap of the window are neighbours in memory: output pixel (i, j) finds the
/// element that tap (kh, kw) multiplies at
///
///   plane[offset(kh, kw) + i · pitch + j].
///
/// For that, padded pixels are sorted by their phase, (row mod stride, column mod stride); each
/// phase is a plane of its own, phase_rows × pitch. With stride 1 there is one phase.
///
/// All output rows, `pitch` apart, form one run of output.h · pitch elements in which each row is
/// followed by pitch − output.w elements that belong to no pixel.
class TapPlane {
 public:
  /// `output` is the number of output pixels that are covered.
  TapPlane(const Window& window, Size2 image, Size2 output) : window_(window), image_(image) {
    const Size2 span = window.span(), stride = window.stride;
    const Size2 used{(output.h - 1) * stride.h + span.h, (output.w - 1) * stride.w + span.w};
    phases = {std::min(stride.h, used.h), std::min(stride.w, used.w)};
    phase_rows = blocks_of(used.h, phases.h);
    pitch = blocks_of(used.w, phases.w);
    for (int64_t column = 0; column < phases.w; ++column) {
      const int64_t left = window.padding.w - column, right = std::max<int64_t>(0, image.w + left);
      const int64_t begin = std::min(blocks_of(std::max<int64_t>(0, left), stride.w), pitch);
      const int64_t end = std::clamp(blocks_of(right, stride.w), begin, pitch);
      in_image_.push_back({begin, end, begin * stride.w - left});
    }
  }

  Size2 phases = 1;
  int64_t phase_rows, pitch;
  int64_t phase_size() const { return phase_rows * pitch; }
  int64_t size() const { return phases.area() * phase_size(); }

  /// The phase that a tap lies in, and its place within that phase.
  int64_t phase(int64_t kh, int64_t kw) const {
    return kh * window_.dilation.h % window_.stride.h * phases.w +
           kw * window_.dilation.w % window_.stride.w;
  }
  int64_t offset_in_phase(int64_t kh, int64_t kw) const {
    return kh * window_.dilation.h / window_.stride.h * pitch +
           kw * window_.dilation.w / window_.stride.w;
  }
  int64_t offset(int64_t kh, int64_t kw) const {
    return phase(kh, kw) * phase_size() + offset_in_phase(kh, kw);
  }

  /// Copies from a channel what output rows from `first_row` on see; `outside` where that is not in
  /// the image. Overshoots.
  template <class T>
  void fill(const T* channel, int64_t first_row, T* plane, T outside = T{0}) const {
    for_each_row(first_row, [=, this](int64_t to, int64_t from, int64_t begin, int64_t end) {
      T* row = plane + to;
      if (end - begin < pitch)
        for (int64_t j = 0; j < pitch; j += kLaneCount<T>)
          store_lanes<T>(row + j, Lanes<T>{} + outside);
      if (window_.stride.w == 1)
        copy_run(channel + from, row + begin, end - begin);
      else if (window_.stride.w == 2)
        copy_every_second(channel + from, row + begin, end - begin, outside);
      else
        for (int64_t q = begin; q < end; ++q)
          row[q] = channel[from + (q - begin) * window_.stride.w];
    });
  }

  /// The reverse: adds the plane's elements to the pixels that they were copies of.
  template <class T>
  void add_to(T* channel, int64_t first_row, const T* plane) const {
    for_each_row(first_row, [=, this](int64_t from, int64_t to, int64_t begin, int64_t end) {
      const T* row = plane + from + begin;
      T* out = channel + to;
      if (window_.stride.w == 1)
        for (int64_t q = 0; q < end - begin; ++q) out[q] += row[q];
      else
        for (int64_t q = 0; q < end - begin; ++q) out[q * window_.stride.w] += row[q];
    });
  }

  /// The same for a plane of all output rows, and a channel of zeros. A pixel that is seen at all
  /// is in the plane once.
  template <class T>
  void copy_to(T* channel, const T* plane) const {
    if (window_.stride != Size2(1)) std::fill_n(channel, image_.area(), T{0});
    for_each_row(0, [=, this](int64_t from, int64_t to, int64_t begin, int64_t end) {
      const T* row = plane + from + begin;
      T* out = channel + to;
      if (window_.stride.w == 1)
        copy_run(row, out, end - begin);
      else
        for (int64_t q = 0; q < end - begin; ++q) out[q * window_.stride.w] = row[q];
    });
  }

  /// f(offset of a row in the plane, offset of element `begin` in the channel, begin, end):
  /// elements [begin, end) of the row lie in the image. In the order of the plane.
  template <class F>
  void for_each_row(int64_t first_row, F&& f) const {
    const Size2 stride = window_.stride;
    const int64_t first = first_row * stride.h - window_.padding.h;
    int64_t at = 0;
    for (int64_t row = 0; row < phases.h; ++row)
      for (const auto& [begin, end, column] : in_image_)
        for (int64_t i = 0; i < phase_rows; ++i, at += pitch) {
          const int64_t y = first + i * stride.h + row;
          if (y >= 0 && y < image_.h)
            f(at, y * image_.w + column, begin, end);
          else
            f(at, 0, 0, 0);
        }
  }

 private:
  /// Elements [begin, end) of a phase's rows lie in the image, the first of them at `column`.
  struct ColumnRange {
    int64_t begin, end, column;
  };

  Window window_;
  Size2 image_;
  std::vector<ColumnRange> in_image_;  // for each phase of the columns
};

}  // namespace pade::cpu
