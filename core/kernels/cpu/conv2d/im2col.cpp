#include <algorithm>

#include <pade/core/kernels/cpu/blas.h>
#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/conv2d/padded_plane.h>
#include <pade/core/kernels/cpu/scratch.h>

namespace pade::cpu {
namespace {

/// What is multiplied at once: some rows of the output of an image, or all of several images; and
/// some of the input channels of one group.
struct Part {
  int64_t image, images, row, rows, group, channel, channels;
};

/// Sizes of the parts.
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
};

/// f(part) for all rows of these images and input channels [begin, end), counted over all groups.
template <class F>
void for_each_part(const Conv2dProblem& problem, const Cut& cut, int64_t image, int64_t images,
                   int64_t begin, int64_t end, F&& f) {
  for (int64_t channel = begin, count; channel < end; channel += count) {
    const int64_t group = channel / problem.group_in(), first = channel % problem.group_in();
    count = std::min(end - channel, problem.group_in() - first);
    for (int64_t row = 0; row < problem.output.h; row += cut.rows)
      f(Part{image, images, row, std::min(cut.rows, problem.output.h - row), group, first, count});
  }
}

template <class T>
struct Matrix {
  T* data;
  int64_t stride;
};

/// The matrices of a part, where the tensors have them or in memory of their own.
///
/// The image's is what the filters of a group are multiplied with: column j belongs to output pixel
/// j of the part (of each image in turn), row (c, kh, kw) holds what that tap sees. With 1×1
/// kernels and no padding, a channel of one image is a row of it as it is.
///
/// The output's has a row for each output channel of the group, which the tensor has if the part is
/// of one image.
template <class T>
class Matrices {
 public:
  /// With room for parts of at most so many channels.
  Matrices(const Conv2dProblem& problem, const Cut& cut, int64_t channels)
      : problem_(problem),
        plane_(problem.window, problem.image, {cut.rows, problem.output.w}),
        plane_stride_(plane_.size() + kOvershoot<T>),
        planes_(cut.images * plane_stride_),
        columns_(channels * problem.taps() * cut.images * cut.rows * problem.output.w +
                 kOvershoot<T>),
        outputs_(cut.images > 1 ? problem.group_out() * cut.images * problem.output.area() : 0) {}

  int64_t width(const Part& part) const { return part.images * part.rows * problem_.output.w; }

  /// The image's, filled from x.
  Matrix<const T> load_image(const T* x, const Part& part) const {
    if (is_in_place(part)) return in_place(x, part);
    T* out = columns_.data();
    const int64_t columns = problem_.output.w;
    for (int64_t c = 0; c < part.channels; ++c) {
      for (int64_t n = 0; n < part.images; ++n)
        plane_.fill(x + image_offset(part, n, c), part.row, plane(n));
      for_each_tap([&](int64_t offset) {
        for (int64_t n = 0; n < part.images; ++n, out += part.rows * columns)
          copy_rows(plane(n) + offset, plane_.pitch, out, columns, part.rows, columns);
      });
    }
    return {columns_.data(), width(part)};
  }
  /// Room for its gradient; add_to() then adds each element to the pixel that it belongs to.
  Matrix<T> image_gradient(T* dx, const Part& part) const {
    if (is_in_place(part)) return in_place(dx, part);
    return {columns_.data(), width(part)};
  }
  void add_to(T* dx, const Part& part) const {
    if (is_in_place(part)) return;
    const T* in = columns_.data();
    const int64_t columns = problem_.output.w;
    for (int64_t c = 0; c < part.channels; ++c) {
      std::fill_n(planes_.data(), part.images * plane_stride_, T{0});
      for_each_tap([&](int64_t offset) {
        for (int64_t n = 0; n < part.images; ++n, in += part.rows * columns)
          add_rows(in, columns, plane(n) + offset, plane_.pitch, part.rows, columns);
      });
      for (int64_t n = 0; n < part.images; ++n)
        plane_.add_to(dx + image_offset(part, n, c), part.row, plane(n));
    }
  }

  /// Room for the output's; store_output() then puts it where it belongs.
  Matrix<T> output(T* y, const Part& part) const {
    if (part.images == 1) return {y + output_offset(part, 0, 0), plane_area()};
    return {outputs_.data(), width(part)};
  }
  Matrix<const T> load_output(const T* dy, const Part& part) const {
    if (part.images == 1) return {dy + output_offset(part, 0, 0), plane_area()};
    for_each_copy(part, [&](int64_t at, T* copy) { copy_run(dy + at, copy, plane_area()); });
    return {outputs_.data(), width(part)};
  }
  void store_output(T* y, const Part& part) const {
    for_each_copy(part, [&](int64_t at, const T* copy) { copy_run(copy, y + at, plane_area()); });
  }

 private:
  bool is_in_place(const Part& part) const {
    return part.images == 1 && problem_.taps() == 1 && problem_.window.padding == 0 &&
           problem_.image == problem_.output;
  }
  template <class U>
  Matrix<U> in_place(U* x, const Part& part) const {
    return {x + image_offset(part, 0, 0) + part.row * problem_.output.w, problem_.image.area()};
  }
  int64_t image_offset(const Part& part, int64_t n, int64_t c) const {
    const int64_t channel = part.group * problem_.group_in() + part.channel + c;
    return ((part.image + n) * problem_.in_channels + channel) * problem_.image.area();
  }
  /// Of output channel `o` of the group.
  int64_t output_offset(const Part& part, int64_t n, int64_t o) const {
    const int64_t channel = part.group * problem_.group_out() + o;
    return ((part.image + n) * problem_.out_channels + channel) * plane_area() +
           part.row * problem_.output.w;
  }
  int64_t plane_area() const { return problem_.output.area(); }
  T* plane(int64_t n) const { return planes_.data() + n * plane_stride_; }
  template <class F>
  void for_each_tap(F&& f) const {
    for (int64_t kh = 0; kh < problem_.window.kernel.h; ++kh)
      for (int64_t kw = 0; kw < problem_.window.kernel.w; ++kw) f(plane_.offset(kh, kw));
  }
  template <class F>
  void for_each_copy(const Part& part, F&& f) const {
    if (part.images == 1) return;
    T* copy = outputs_.data();
    for (int64_t o = 0; o < problem_.group_out(); ++o)
      for (int64_t n = 0; n < part.images; ++n, copy += plane_area())
        f(output_offset(part, n, o), copy);
  }

  const Conv2dProblem& problem_;
  TapPlane plane_;
  int64_t plane_stride_;
  Scratch<T> planes_, columns_, outputs_;
};

/// Where the weights of the part's channels begin, in the first filter of their group.
int64_t filters_offset(const Conv2dProblem& problem, const Part& part) {
  return part.group * problem.group_out() * problem.terms() + part.channel * problem.taps();
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const Cut cut(problem);
  const int64_t row_parts = blocks_of(problem.output.h, cut.rows);
  const int64_t units_per_image = problem.groups * row_parts;
  const int64_t units = blocks_of(problem.images, cut.images) * units_per_image;
  const int64_t at_once = units_per_block(problem.multiplications() * cut.images / row_parts);
  const int64_t group_out = problem.group_out(), terms = problem.terms();
  parallel_for(units, at_once, [&](int64_t begin, int64_t end) {
    const Matrices<T> matrices(problem, cut, problem.group_in());
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / units_per_image * cut.images;
      const int64_t row = unit % row_parts * cut.rows;
      const Part part{.image = image,
                      .images = std::min(cut.images, problem.images - image),
                      .row = row,
                      .rows = std::min(cut.rows, problem.output.h - row),
                      .group = unit % units_per_image / row_parts,
                      .channel = 0,
                      .channels = problem.group_in()};
      const Matrix<const T> in = matrices.load_image(x, part);
      const Matrix<T> out = matrices.output(y, part);
      const int64_t width = matrices.width(part);
      if (bias)
        for (int64_t o = 0; o < group_out; ++o)
          std::fill_n(out.data + o * out.stride, width, bias[part.group * group_out + o]);
      blas::gemm<T>(false, false, group_out, width, terms, 1,
                    weight + filters_offset(problem, part), terms, in.data, in.stride, bias ? 1 : 0,
                    out.data, out.stride);
      matrices.store_output(y, part);
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
  const int64_t at_once =
      units_per_block(problem.multiplications() * (cut.images * problem.groups) / units_per_image);
  parallel_for(image_parts * units_per_image, at_once, [&](int64_t begin, int64_t end) {
    const Matrices<T> matrices(problem, cut, std::min(channels_per_unit, problem.group_in()));
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t image = unit / units_per_image * cut.images;
      const int64_t images = std::min(cut.images, problem.images - image);
      const int64_t first = unit % units_per_image * channels_per_unit;
      const int64_t last = std::min(problem.in_channels, first + channels_per_unit);
      const int64_t pixels = problem.image.area();
      for (int64_t n = image; n < image + images; ++n)
        std::fill_n(dx + (n * problem.in_channels + first) * pixels, (last - first) * pixels, T{0});
      for_each_part(problem, cut, image, images, first, last, [&](const Part& part) {
        const Matrix<const T> out = matrices.load_output(dy, part);
        const Matrix<T> in = matrices.image_gradient(dx, part);
        blas::gemm<T>(true, false, part.channels * problem.taps(), matrices.width(part),
                      problem.group_out(), 1, weight + filters_offset(problem, part),
                      problem.terms(), out.data, out.stride, 0, in.data, in.stride);
        matrices.add_to(dx, part);
      });
    }
  });
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const Cut cut(problem);
  sum_over_images(
      problem.images, problem.in_channels, problem.out_channels * problem.terms(), dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        const Matrices<T> matrices(problem, cut, std::min(end - begin, problem.group_in()));
        for (int64_t image = first_image; image < end_image; image += cut.images) {
          const int64_t images = std::min(cut.images, end_image - image);
          for_each_part(problem, cut, image, images, begin, end, [&](const Part& part) {
            const Matrix<const T> in = matrices.load_image(x, part);
            const Matrix<const T> out = matrices.load_output(dy, part);
            const bool is_first = image == first_image && part.row == 0;
            blas::gemm<T>(false, true, problem.group_out(), part.channels * problem.taps(),
                          matrices.width(part), 1, out.data, out.stride, in.data, in.stride,
                          is_first ? 0 : 1, partial + filters_offset(problem, part),
                          problem.terms());
          });
        }
      });
}

bool is_possible(const Conv2dProblem&, DType) { return true; }

}  // namespace

const Method kIm2col{"im2col",
                     is_possible,
                     {forward<float>, backward_data<float>, backward_weight<float>},
                     {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
