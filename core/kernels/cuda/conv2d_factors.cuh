#pragma once

#include <algorithm>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/plane_index.cuh>

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

/// A Conv2dProblem for 32-bit arithmetic.
struct Conv2dIndex {
  struct Size {
    explicit Size(const Size2& size) : h(static_cast<int>(size.h)), w(static_cast<int>(size.w)) {}
    int h, w;
  };

  explicit Conv2dIndex(const Conv2dProblem& problem)
      : images(static_cast<int>(problem.images)),
        groups(static_cast<int>(problem.groups)),
        group_in(static_cast<int>(problem.group_in())),
        group_out(static_cast<int>(problem.group_out())),
        taps(static_cast<int>(problem.taps())),
        kernel_w(static_cast<int>(problem.window.kernel.w)),
        image(problem.image.h, problem.image.w),
        output(problem.output.h, problem.output.w),
        stride(problem.window.stride),
        padding(problem.window.padding),
        dilation(problem.window.dilation),
        by_taps(std::max(1, taps)),
        by_kernel_w(std::max(1, kernel_w)),
        by_stride_h(stride.h),
        by_stride_w(stride.w) {}

  int images, groups, group_in, group_out, taps, kernel_w;
  PlaneIndex image, output;
  Size stride, padding, dilation;
  Divisor by_taps, by_kernel_w, by_stride_h, by_stride_w;

  /// A (channel, tap) pair, with the tap's distance in pixels.
  struct Term {
    int channel, tap, row, column;
  };
  __device__ __forceinline__ Term term(int number) const {
    const int channel = by_taps.quotient(number), tap = number - channel * taps;
    const int row = by_kernel_w.quotient(tap);
    return {channel, tap, row * dilation.h, (tap - row * kernel_w) * dilation.w};
  }

  /// Where in [images, channels, h, w] a pixel of all images is in one channel.
  __device__ __forceinline__ static int64_t offset(const PlaneIndex& planes, int channels,
                                                   int channel, int pixel) {
    const int image = planes.by_area.quotient(pixel);
    return (static_cast<int64_t>(image) * channels + channel) * planes.area +
           (pixel - image * planes.area);
  }
};

/// Of a right factor: a channel's plane, and a place in it that may be outside.
template <class T>
struct FactorColumn {
  const T* plane;
  int row, column;
};

/// Y = W · X + bias, or where kBackward dX = W' · dY, in which dY has zeros between the strides.
template <class T, bool kBackward>
struct PixelFactors {
  using Column = FactorColumn<T>;
  static constexpr bool kIsBackward = kBackward;
  Conv2dIndex c;
  const T *from, *weight;
  T* out;
  const T* bias = nullptr;  ///< or null

  __host__ __device__ const PlaneIndex& planes() const { return kBackward ? c.image : c.output; }
  __host__ __device__ const PlaneIndex& sources() const { return kBackward ? c.output : c.image; }
  __host__ __device__ int source_channels() const { return kBackward ? c.group_out : c.group_in; }
  __host__ __device__ int rows() const { return kBackward ? c.group_in : c.group_out; }
  __host__ __device__ int columns() const { return c.images * planes().area; }
  __host__ __device__ int inner() const { return source_channels() * c.taps; }

  __device__ __forceinline__ T left(int group, int row, int k) const {
    if constexpr (!kBackward)
      return weight[static_cast<int64_t>(group * c.group_out + row) * inner() + k];
    const int channel = c.by_taps.quotient(k), tap = k - channel * c.taps;
    const int filter = group * c.group_out + channel;
    return weight[(static_cast<int64_t>(filter) * c.group_in + row) * c.taps + tap];
  }

  __device__ __forceinline__ Column column(int group, int number) const {
    const auto at = planes().at(number);
    const int plane = (at.plane * c.groups + group) * source_channels();
    const T* first = from + static_cast<int64_t>(plane) * sources().area;
    if constexpr (kBackward) return {first, at.row + c.padding.h, at.column + c.padding.w};
    return {first, at.row * c.stride.h - c.padding.h, at.column * c.stride.w - c.padding.w};
  }
  __device__ __forceinline__ T right(const Column& at, int k) const {
    const auto term = c.term(k);
    int row = at.row + term.row, column = at.column + term.column;
    if constexpr (kBackward) {
      const int y = at.row - term.row, x = at.column - term.column;
      if (y < 0 || x < 0) return T{0};
      row = c.by_stride_h.quotient(y);
      column = c.by_stride_w.quotient(x);
      if (row * c.stride.h != y || column * c.stride.w != x) return T{0};
    }
    if (!sources().contains(row, column)) return T{0};
    const int64_t first_row = static_cast<int64_t>(term.channel) * sources().height;
    return at.plane[(first_row + row) * sources().width + column];
  }

  __device__ __forceinline__ void store(int group, int, int row, int number, T value) const {
    const int channel = group * rows() + row;
    out[c.offset(planes(), c.groups * rows(), channel, number)] =
        bias ? value + bias[channel] : value;
  }
};

/// dW = dY · X', of a slice of the pixels each.
template <class T>
struct WeightFactors {
  using Column = FactorColumn<T>;
  Conv2dIndex c;
  const T *x, *dy;
  T* partial = nullptr;  ///< [weights, slices]
  int slices = 0;

  __host__ __device__ int rows() const { return c.group_out; }
  __host__ __device__ int columns() const { return c.group_in * c.taps; }
  __host__ __device__ int inner() const { return c.images * c.output.area; }

  __device__ __forceinline__ T left(int group, int row, int k) const {
    return dy[c.offset(c.output, c.groups * c.group_out, group * c.group_out + row, k)];
  }

  __device__ __forceinline__ Column column(int group, int number) const {
    const auto term = c.term(number);
    return {x + static_cast<int64_t>(group * c.group_in + term.channel) * c.image.area,
            term.row - c.padding.h, term.column - c.padding.w};
  }
  __device__ __forceinline__ T right(const Column& at, int k) const {
    const auto pixel = c.output.at(k);
    const int row = at.row + pixel.row * c.stride.h, column = at.column + pixel.column * c.stride.w;
    if (!c.image.contains(row, column)) return T{0};
    return at.plane[static_cast<int64_t>(pixel.plane) * c.groups * c.group_in * c.image.area +
                    row * c.image.width + column];
  }

  __device__ __forceinline__ void store(int group, int slice, int row, int number, T value) const {
    partial[(static_cast<int64_t>(group * c.group_out + row) * columns() + number) * slices +
            slice] = value;
  }
};

}  // namespace pade::cuda
