#pragma once

#include <algorithm>

#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/padded_plane.h>
#include <pade/core/kernels/cpu/scratch.h>

namespace pade::cpu {

/// A part of the output: some rows of an image, or all of several images; and a range of a group's
/// input channels, counted over all groups.
struct ColumnsPart {
  int64_t image, images, row, rows, channel, channels;
};

/// The matrix by which the filters of a group are multiplied: column j belongs to output pixel j
/// of the part (of each image in turn), row (c, kh, kw) holds what that tap sees.
template <class T>
class Columns {
 public:
  /// With room for parts of at most these sizes.
  Columns(const Conv2dProblem& problem, int64_t images, int64_t rows, int64_t channels)
      : problem_(problem),
        plane_(problem.window, problem.image, {rows, problem.output.w}),
        plane_stride_(plane_.size() + kOvershoot<T>),
        planes_(images * plane_stride_),
        matrix_(channels * problem.taps() * images * rows * problem.output.w + kOvershoot<T>) {}

  T* data() { return matrix_.data(); }

  void gather(const T* x, const ColumnsPart& part) {
    T* out = data();
    const int64_t width = problem_.output.w;
    for (int64_t c = 0; c < part.channels; ++c) {
      for (int64_t n = 0; n < part.images; ++n)
        plane_.fill(x + channel_offset(part, n, c), part.row, planes_.data() + n * plane_stride_);
      for_each_tap([&](int64_t offset) {
        for (int64_t n = 0; n < part.images; ++n, out += part.rows * width)
          copy_rows(planes_.data() + n * plane_stride_ + offset, plane_.pitch, out, width,
                    part.rows, width);
      });
    }
  }

  /// The reverse: adds every element of the matrix to the pixel that it is a copy of.
  void add_to(T* dx, const ColumnsPart& part) {
    const T* in = data();
    const int64_t width = problem_.output.w;
    for (int64_t c = 0; c < part.channels; ++c) {
      std::fill_n(planes_.data(), part.images * plane_stride_, T{0});
      for_each_tap([&](int64_t offset) {
        for (int64_t n = 0; n < part.images; ++n, in += part.rows * width)
          add_rows(in, width, planes_.data() + n * plane_stride_ + offset, plane_.pitch, part.rows,
                   width);
      });
      for (int64_t n = 0; n < part.images; ++n)
        plane_.add_to(dx + channel_offset(part, n, c), part.row,
                      planes_.data() + n * plane_stride_);
    }
  }

 private:
  int64_t channel_offset(const ColumnsPart& part, int64_t n, int64_t c) const {
    return ((part.image + n) * problem_.in_channels + part.channel + c) * problem_.image.area();
  }
  template <class F>
  void for_each_tap(F&& f) const {
    for (int64_t kh = 0; kh < problem_.window.kernel.h; ++kh)
      for (int64_t kw = 0; kw < problem_.window.kernel.w; ++kw) f(plane_.offset(kh, kw));
  }

  const Conv2dProblem& problem_;
  TapPlane plane_;
  int64_t plane_stride_;
  Scratch<T> planes_, matrix_;
};

}  // namespace pade::cpu
