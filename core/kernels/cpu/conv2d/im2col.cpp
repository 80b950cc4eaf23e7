#include <algorithm>

#include <pade/core/kernels/cpu/blas.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/im2col.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>

namespace pade::cpu {
namespace {

/// Sizes of the parts (see ColumnsPart) that are multiplied at once.
struct Cut {
  int64_t images, rows;

  /// A matrix should stay in L2, but must be wide enough for gemm: an image of few pixels is joined
  /// by others, a large one is taken apart.
  explicit Cut(const Conv2dProblem& problem) : images(1), rows(problem.output.h) {
    constexpr int64_t kFewPixels = 64, kEnoughPixels = 128;
    constexpr int64_t kElements = 1 << 17;
    const int64_t pixels = problem.output.area();
    if (pixels < kFewPixels) {
      images = std::clamp<int64_t>(kEnoughPixels / pixels, 1, std::max<int64_t>(1, problem.images));
    } else {
      const int64_t wanted =
          std::max(2 * kEnoughPixels, kElements / std::max<int64_t>(1, problem.terms()));
      const int64_t most_rows = std::max<int64_t>(1, wanted / problem.output.w);
      rows = blocks_of(rows, blocks_of(rows, most_rows));
    }
  }
  int64_t columns(const Conv2dProblem& problem) const { return images * rows * problem.output.w; }
};

template <class T>
struct Matrix {
  T* data;
  int64_t stride;
};

/// With 1×1 kernels and no padding, a channel of one image is a row of the matrix as it is.
bool is_pointwise(const Conv2dProblem& problem, const ColumnsPart& part) {
  return part.images == 1 && problem.taps() == 1 && problem.window.padding == 0 &&
         problem.image == problem.output;
}

/// Where output channel `o` of image `n` of the part begins.
int64_t output_offset(const Conv2dProblem& problem, const ColumnsPart& part, int64_t n, int64_t o) {
  return ((part.image + n) * problem.out_channels + o) * problem.output.area() +
         part.row * problem.output.w;
}

template <class T>
Matrix<T> pointwise_matrix(const Conv2dProblem& problem, const ColumnsPart& part, T* x) {
  const int64_t pixels = problem.image.area();
  return {
      x + (part.image * problem.in_channels + part.channel) * pixels + part.row * problem.output.w,
      pixels};
}

template <class T>
Matrix<const T> input_matrix(const Conv2dProblem& problem, const ColumnsPart& part, const T* x,
                             Columns<T>& columns) {
  if (is_pointwise(problem, part)) return pointwise_matrix(problem, part, x);
  columns.gather(x, part);
  return {columns.data(), part.images * part.rows * problem.output.w};
}

/// A group's output channels as rows of a matrix: where they are if the part is of one image, else
/// collected in `scratch`.
template <class T>
Matrix<const T> output_matrix(const Conv2dProblem& problem, const ColumnsPart& part, int64_t group,
                              const T* dy, Scratch<T>& scratch) {
  const int64_t pixels = problem.output.area(), first = group * problem.group_out();
  if (part.images == 1) return {dy + output_offset(problem, part, 0, first), pixels};
  T* to = scratch.data();
  for (int64_t o = 0; o < problem.group_out(); ++o)
    for (int64_t n = 0; n < part.images; ++n, to += pixels)
      copy_run(dy + output_offset(problem, part, n, first + o), to, pixels);
  return {scratch.data(), part.images * pixels};
}

/// f(group, first channel, end) for the parts of a range of channels that lie in one group each.
template <class F>
void for_each_group(const Conv2dProblem& problem, int64_t begin, int64_t end, F&& f) {
  for (int64_t channel = begin; channel < end;) {
    const int64_t group = channel / problem.group_in();
    const int64_t group_end = std::min(end, (group + 1) * problem.group_in());
    f(group, channel, group_end);
    channel = group_end;
  }
}

/// f(first row, rows) for the rows of every part.
template <class F>
void for_each_row_part(const Conv2dProblem& problem, const Cut& cut, F&& f) {
  for (int64_t row = 0; row < problem.output.h; row += cut.rows)
    f(row, std::min(cut.rows, problem.output.h - row));
}

template <class T>
void multiply_forward(const Conv2dProblem& problem, const ColumnsPart& part, int64_t group,
                      const T* x, const T* weight, const T* bias, T* y, Columns<T>& columns,
                      Scratch<T>& scratch) {
  const int64_t group_out = problem.group_out(), terms = problem.terms();
  const int64_t first = group * group_out, pixels = problem.output.area();
  const int64_t width = part.rows * problem.output.w;
  const Matrix<const T> in = input_matrix(problem, part, x, columns);
  const bool joined = part.images > 1;
  const Matrix<T> out = joined ? Matrix<T>{scratch.data(), part.images * width}
                               : Matrix<T>{y + output_offset(problem, part, 0, first), pixels};
  if (bias)
    for (int64_t o = 0; o < group_out; ++o)
      std::fill_n(out.data + o * out.stride, part.images * width, bias[first + o]);
  blas::gemm<T>(false, false, group_out, part.images * width, terms, 1, weight + first * terms,
                terms, in.data, in.stride, bias ? 1 : 0, out.data, out.stride);
  if (!joined) return;
  const T* from = scratch.data();
  for (int64_t o = 0; o < group_out; ++o)
    for (int64_t n = 0; n < part.images; ++n, from += width)
      copy_run(from, y + output_offset(problem, part, n, first + o), width);
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const Cut cut(problem);
  const int64_t row_parts = blocks_of(problem.output.h, cut.rows);
  const int64_t units_per_image = problem.groups * row_parts;
  parallel_for(
      blocks_of(problem.images, cut.images) * units_per_image,
      units_per_block(problem.multiplications() * cut.images / row_parts),
      [&](int64_t begin, int64_t end) {
        Columns<T> columns(problem, cut.images, cut.rows, problem.group_in());
        Scratch<T> scratch(cut.images > 1 ? problem.group_out() * cut.columns(problem) : 0);
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t image = unit / units_per_image * cut.images;
          const int64_t group = unit % units_per_image / row_parts;
          const int64_t row = unit % row_parts * cut.rows;
          const ColumnsPart part{image,
                                 std::min(cut.images, problem.images - image),
                                 row,
                                 std::min(cut.rows, problem.output.h - row),
                                 group * problem.group_in(),
                                 problem.group_in()};
          multiply_forward(problem, part, group, x, weight, bias, y, columns, scratch);
        }
      });
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const Cut cut(problem);
  const int64_t image_parts = blocks_of(problem.images, cut.images);
  if (image_parts == 0 || problem.in_channels == 0) return;
  const int64_t channels_per_unit =
      blocks_of(problem.in_channels, blocks_of(kEnoughBlocks, image_parts));
  const int64_t units_per_image = blocks_of(problem.in_channels, channels_per_unit);
  const int64_t group_out = problem.group_out(), terms = problem.terms(), taps = problem.taps();
  const int64_t pixels = problem.image.area();

  parallel_for(
      image_parts * units_per_image,
      units_per_block(problem.multiplications() * (cut.images * problem.groups) / units_per_image),
      [&](int64_t begin, int64_t end) {
        Columns<T> columns(problem, cut.images, cut.rows,
                           std::min(channels_per_unit, problem.group_in()));
        Scratch<T> scratch(cut.images > 1 ? group_out * cut.columns(problem) : 0);
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t image = unit / units_per_image * cut.images;
          const int64_t images = std::min(cut.images, problem.images - image);
          const int64_t first = unit % units_per_image * channels_per_unit;
          const int64_t last = std::min(problem.in_channels, first + channels_per_unit);
          for (int64_t n = image; n < image + images; ++n)
            std::fill_n(dx + (n * problem.in_channels + first) * pixels, (last - first) * pixels,
                        T{0});
          for_each_group(problem, first, last, [&](int64_t group, int64_t channel, int64_t stop) {
            for_each_row_part(problem, cut, [&](int64_t row, int64_t rows) {
              const ColumnsPart part{image, images, row, rows, channel, stop - channel};
              const int64_t width = images * rows * problem.output.w;
              const Matrix<const T> of_y = output_matrix(problem, part, group, dy, scratch);
              const bool pointwise = is_pointwise(problem, part);
              const Matrix<T> of_x = pointwise ? pointwise_matrix(problem, part, dx)
                                               : Matrix<T>{columns.data(), width};
              const T* filters = weight + group * group_out * terms +
                                 (channel - group * problem.group_in()) * taps;
              blas::gemm<T>(true, false, part.channels * taps, width, group_out, 1, filters, terms,
                            of_y.data, of_y.stride, 0, of_x.data, of_x.stride);
              if (!pointwise) columns.add_to(dx, part);
            });
          });
        }
      });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const Cut cut(problem);
  const int64_t group_out = problem.group_out(), terms = problem.terms(), taps = problem.taps();
  sum_over_images(
      problem.images, problem.in_channels, problem.out_channels * terms, dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        Columns<T> columns(problem, cut.images, cut.rows,
                           std::min(end - begin, problem.group_in()));
        Scratch<T> scratch(cut.images > 1 ? group_out * cut.columns(problem) : 0);
        for (int64_t image = first_image; image < end_image; image += cut.images)
          for_each_group(problem, begin, end, [&](int64_t group, int64_t channel, int64_t stop) {
            for_each_row_part(problem, cut, [&](int64_t row, int64_t rows) {
              const ColumnsPart part{image,   std::min(cut.images, end_image - image),
                                     row,     rows,
                                     channel, stop - channel};
              const Matrix<const T> in = input_matrix(problem, part, x, columns);
              const Matrix<const T> of_y = output_matrix(problem, part, group, dy, scratch);
              T* filters = partial + group * group_out * terms +
                           (channel - group * problem.group_in()) * taps;
              const bool is_first = image == first_image && row == 0;
              blas::gemm<T>(false, true, group_out, part.channels * taps,
                            part.images * rows * problem.output.w, 1, of_y.data, of_y.stride,
                            in.data, in.stride, is_first ? 0 : 1, filters, terms);
            });
          });
      });
}

bool is_possible(const Conv2dProblem&, DType) { return true; }

}  // namespace

const Method kIm2col{"im2col",
                     is_possible,
                     {forward<float>, backward_data<float>, backward_weight<float>},
                     {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
