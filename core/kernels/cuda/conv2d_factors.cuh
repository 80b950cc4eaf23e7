#pragma once

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/divisor.h>
#include <pade/core/kernels/cuda/kernel.cuh>

/// A convolution and its two derivatives as products of matrices that nobody lays out in memory
/// (implicit GEMM). For each group of channels, with a pixel being one of all images':
///
///   forward          Y[o][pixel]   = Σ_(c, tap)  W[o][(c, tap)]   · X[(c, tap)][pixel]
///   backward data    dX[c][pixel]  = Σ_(o, tap)  W'[c][(o, tap)]  · dY[(o, tap)][pixel]
///   backward weight  dW[o][(c, tap)] = Σ_pixel   dY[o][pixel]     · X'[pixel][(c, tap)]
///
/// Each struct below tells what the factors' elements are: `left` the one whose rows are the
/// result's rows, `right` the one whose columns are the result's columns. A thread stays in one
/// column of the right factor, so that what depends on the column is looked up once.
namespace pade::cuda {

/// A Conv2dProblem for 32-bit arithmetic, with what it is divided by.
struct Conv2dIndex {
  explicit Conv2dIndex(const Conv2dProblem& problem)
      : images(static_cast<int>(problem.images)),
        group_in(static_cast<int>(problem.group_in())),
        group_out(static_cast<int>(problem.group_out())),
        groups(static_cast<int>(problem.groups)),
        h(static_cast<int>(problem.image.h)),
        w(static_cast<int>(problem.image.w)),
        oh(static_cast<int>(problem.output.h)),
        ow(static_cast<int>(problem.output.w)),
        taps(static_cast<int>(problem.taps())),
        kernel_w(static_cast<int>(problem.window.kernel.w)),
        stride_h(static_cast<int>(problem.window.stride.h)),
        stride_w(static_cast<int>(problem.window.stride.w)),
        padding_h(static_cast<int>(problem.window.padding.h)),
        padding_w(static_cast<int>(problem.window.padding.w)),
        dilation_h(static_cast<int>(problem.window.dilation.h)),
        dilation_w(static_cast<int>(problem.window.dilation.w)),
        by_taps(divisor(taps)),
        by_kernel_w(divisor(kernel_w)),
        by_pixels(divisor(h * w)),
        by_w(divisor(w)),
        by_outputs(divisor(oh * ow)),
        by_ow(divisor(ow)),
        by_stride_h(divisor(stride_h)),
        by_stride_w(divisor(stride_w)) {}

  int images, group_in, group_out, groups;
  int h, w, oh, ow;
  int taps, kernel_w;
  int stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w;
  Divisor by_taps, by_kernel_w, by_pixels, by_w, by_outputs, by_ow, by_stride_h, by_stride_w;

 private:
  static Divisor divisor(int value) { return Divisor(value > 0 ? value : 1); }
};

/// A pixel of all images', taken apart.
struct PixelPlace {
  int image, row, column;
};
__device__ __forceinline__ PixelPlace place_of(int number, int per_image, const Divisor& by_image,
                                               int width, const Divisor& by_width) {
  const int image = by_image.quotient(number), rest = number - image * per_image;
  const int row = by_width.quotient(rest);
  return {image, row, rest - row * width};
}
__device__ __forceinline__ PixelPlace output_place(const Conv2dIndex& c, int number) {
  return place_of(number, c.oh * c.ow, c.by_outputs, c.ow, c.by_ow);
}
__device__ __forceinline__ PixelPlace image_place(const Conv2dIndex& c, int number) {
  return place_of(number, c.h * c.w, c.by_pixels, c.w, c.by_w);
}

/// A (channel, tap) pair, with the tap's distance in pixels.
struct TermPlace {
  int channel, tap, row, column;
};
__device__ __forceinline__ TermPlace term_place(const Conv2dIndex& c, int number) {
  const int channel = c.by_taps.quotient(number), tap = number - channel * c.taps;
  const int row = c.by_kernel_w.quotient(tap);
  return {channel, tap, row * c.dilation_h, (tap - row * c.kernel_w) * c.dilation_w};
}

__device__ __forceinline__ bool is_inside(int row, int column, int height, int width) {
  return static_cast<unsigned>(row) < static_cast<unsigned>(height) &&
         static_cast<unsigned>(column) < static_cast<unsigned>(width);
}

/// Y = W · X + bias.
template <class T>
struct ForwardFactors {
  Conv2dIndex c;
  const T *x, *weight, *bias;  ///< bias may be null
  T* y;

  __host__ __device__ int rows() const { return c.group_out; }
  __host__ __device__ int columns() const { return c.images * c.oh * c.ow; }
  __host__ __device__ int inner() const { return c.group_in * c.taps; }

  __device__ __forceinline__ T left(int group, int row, int k) const {
    return weight[static_cast<int64_t>(group * c.group_out + row) * inner() + k];
  }

  struct Column {
    const T* image;  ///< the group's first channel
    int row, column;
  };
  __device__ __forceinline__ Column column(int group, int number) const {
    const PixelPlace at = output_place(c, number);
    return {x + static_cast<int64_t>(at.image * c.groups + group) * c.group_in * c.h * c.w,
            at.row * c.stride_h - c.padding_h, at.column * c.stride_w - c.padding_w};
  }
  __device__ __forceinline__ T right(const Column& at, int k) const {
    const TermPlace term = term_place(c, k);
    const int row = at.row + term.row, column = at.column + term.column;
    if (!is_inside(row, column, c.h, c.w)) return T{0};
    return at.image[(static_cast<int64_t>(term.channel) * c.h + row) * c.w + column];
  }

  __device__ __forceinline__ void store(int group, int, int row, int number, T value) const {
    const int image = c.by_outputs.quotient(number), outputs = c.oh * c.ow;
    const int channel = group * c.group_out + row;
    if (bias) value += bias[channel];
    y[(static_cast<int64_t>(image) * c.groups * c.group_out + channel) * outputs +
      (number - image * outputs)] = value;
  }
};

/// dX = W' · dY, where dY has zeros between the strides.
template <class T>
struct DataFactors {
  Conv2dIndex c;
  const T *dy, *weight;
  T* dx;

  __host__ __device__ int rows() const { return c.group_in; }
  __host__ __device__ int columns() const { return c.images * c.h * c.w; }
  __host__ __device__ int inner() const { return c.group_out * c.taps; }

  __device__ __forceinline__ T left(int group, int row, int k) const {
    const int channel = c.by_taps.quotient(k), tap = k - channel * c.taps;
    return weight[(static_cast<int64_t>(group * c.group_out + channel) * c.group_in + row) *
                      c.taps +
                  tap];
  }

  struct Column {
    const T* image;  ///< the group's first output channel
    int row, column;
  };
  __device__ __forceinline__ Column column(int group, int number) const {
    const PixelPlace at = image_place(c, number);
    return {dy + static_cast<int64_t>(at.image * c.groups + group) * c.group_out * c.oh * c.ow,
            at.row + c.padding_h, at.column + c.padding_w};
  }
  __device__ __forceinline__ T right(const Column& at, int k) const {
    const TermPlace term = term_place(c, k);
    const int row = at.row - term.row, column = at.column - term.column;
    if (row < 0 || column < 0) return T{0};
    const int i = c.by_stride_h.quotient(row), j = c.by_stride_w.quotient(column);
    if (i * c.stride_h != row || j * c.stride_w != column || i >= c.oh || j >= c.ow) return T{0};
    return at.image[(static_cast<int64_t>(term.channel) * c.oh + i) * c.ow + j];
  }

  __device__ __forceinline__ void store(int group, int, int row, int number, T value) const {
    const int image = c.by_pixels.quotient(number), pixels = c.h * c.w;
    dx[(static_cast<int64_t>(image) * c.groups * c.group_in + group * c.group_in + row) * pixels +
       (number - image * pixels)] = value;
  }
};

/// dW = dY · X', of a slice of the pixels each.
template <class T>
struct WeightFactors {
  Conv2dIndex c;
  const T *x, *dy;
  T* partial;  ///< [weights, slices]
  int slices;

  __host__ __device__ int rows() const { return c.group_out; }
  __host__ __device__ int columns() const { return c.group_in * c.taps; }
  __host__ __device__ int inner() const { return c.images * c.oh * c.ow; }

  __device__ __forceinline__ T left(int group, int row, int k) const {
    const int image = c.by_outputs.quotient(k), outputs = c.oh * c.ow;
    return dy[(static_cast<int64_t>(image) * c.groups * c.group_out + group * c.group_out + row) *
                  outputs +
              (k - image * outputs)];
  }

  struct Column {
    const T* channel;  ///< of the first image
    int row, column;
  };
  __device__ __forceinline__ Column column(int group, int number) const {
    const TermPlace term = term_place(c, number);
    return {x + static_cast<int64_t>(group * c.group_in + term.channel) * c.h * c.w,
            term.row - c.padding_h, term.column - c.padding_w};
  }
  __device__ __forceinline__ T right(const Column& at, int k) const {
    const PixelPlace pixel = output_place(c, k);
    const int row = at.row + pixel.row * c.stride_h, column = at.column + pixel.column * c.stride_w;
    if (!is_inside(row, column, c.h, c.w)) return T{0};
    return at.channel[static_cast<int64_t>(pixel.image) * c.groups * c.group_in * c.h * c.w +
                      row * c.w + column];
  }

  __device__ __forceinline__ void store(int group, int slice, int row, int number, T value) const {
    partial[(static_cast<int64_t>(group * c.group_out + row) * columns() + number) * slices +
            slice] = value;
  }
};

}  // namespace pade::cuda
