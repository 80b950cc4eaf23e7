#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include <pade/core/kernels/math/update.h>
#include <pade/core/rational_form.h>
#include <pade/core/size2.h>
#include <pade/core/tensor.h>

/// What kernels are asked for, beside tensors: sizes, and options that an op has checked.
namespace pade {

/// A window that slides over an image: tap (kh, kw) of the window at output pixel (i, j) lies on
/// image pixel (i·stride.h + kh·dilation.h − padding.h, and so for the width).
struct Window {
  Size2 kernel, stride, padding, dilation;

  Size2 span() const {  ///< from the first to the last tap, in pixels
    return {(kernel.h - 1) * dilation.h + 1, (kernel.w - 1) * dilation.w + 1};
  }
};

struct Conv2dProblem {
  int64_t images, in_channels, out_channels, groups;
  Size2 image, output;  // heights and widths
  Window window;
  bool winograd_allowed = true;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t taps() const { return window.kernel.area(); }
  /// Products per output element: the length of a filter.
  int64_t terms() const { return group_in() * taps(); }
  /// Multiplications for one group of one image.
  double multiplications() const {
    return static_cast<double>(group_out() * terms()) * static_cast<double>(output.area());
  }
  /// What the taps of all windows see of the image, padding included; at least the image, which may
  /// be larger than what strides leave of it.
  Size2 padded() const {
    const Size2 seen{(output.h - 1) * window.stride.h + window.span().h,
                     (output.w - 1) * window.stride.w + window.span().w};
    return {std::max(seen.h, window.padding.h + image.h),
            std::max(seen.w, window.padding.w + image.w)};
  }
};

/// Windows over `planes` images [h, w], giving planes [oh, ow].
struct PoolProblem {
  int64_t planes, h, w, oh, ow;
  Size2 kernel, stride, padding;
  bool count_padding = true;
};

/// Products of stacks of matrices: op(A) is [rows, inner], op(B) [inner, columns]. A, B and C have
/// leading axes of their own, each of which has the extent that `batch` has there, or 1, or is
/// missing in front. At every index of `batch`, op(A)·op(B) is added to C: where C's extent is 1
/// and batch's is not, C is a sum (the gradient of what was broadcast).
struct MatmulProblem {
  bool transpose_a = false, transpose_b = false;
  int64_t rows = 0, columns = 0, inner = 0;
  Shape a_batch, b_batch, c_batch;
  Shape batch;
  bool accumulate = false;  ///< add to what C holds instead of overwriting it
};

/// x seen as [n, channels, run].
struct BatchNormProblem {
  int64_t n, channels, run;
  bool training;
  double momentum, eps;

  int64_t count() const { return n * run; }  ///< values per channel
  /// What the sums over the batch are multiplied with in dx.
  double share() const { return training ? 1 / static_cast<double>(count()) : 0; }
};

/// A formula of core/kernels/math/formula.h; its constants are a parameter, or else these.
struct FormulaProblem {
  int index;
  const char* name;
  std::vector<double> constants;
  std::vector<bool> learns;  ///< which of them; all where it is empty
};

/// x seen as [outer, groups, run], coefficients as [groups, …], of degrees m and n.
struct RationalProblem {
  RationalOptions options;
  int64_t outer, groups, run;
  int m, n;

  int first() const { return first_denominator(options.form); }
  /// Of each group.
  int denominators() const { return n + 1 - first(); }
};

/// A function of one element, whose parameters are {constants}, or {numerator, denominator}, or
/// none.
struct ElementwiseProblem {
  std::variant<FormulaProblem, RationalProblem> kind;
  bool saves_value;  ///< backward reads y, not x
  int parameters;    ///< how many

  int64_t groups() const {
    const auto* rational = std::get_if<RationalProblem>(&kind);
    return rational ? rational->groups : 1;
  }
};

/// A tensor seen as [outer, classes, inner]: softmax normalises its lines along `classes`.
struct SoftmaxLines {
  int64_t outer, classes, inner;
};

struct CrossEntropyProblem {
  double label_smoothing;
  bool per_sample;  ///< a loss for each sample in the place of one
  bool mean;        ///< that one is the samples' mean, not their sum
};

/// The images of a batch, and how many boxes may be erased in each.
struct AugmentProblem {
  int64_t channels, h, w;
  int boxes;
};

using Comparison = std::variant<std::equal_to<>, std::not_equal_to<>, std::less<>,
                                std::less_equal<>, std::greater<>, std::greater_equal<>>;

/// One loop of a copy. Strides count elements.
struct CopyAxis {
  int64_t extent, from_stride, to_stride;
};

/// What to do (SgdUpdate, AdamUpdate) with one parameter. The tensors have its shape, dtype and
/// device; step_scale is undefined where there is none, and for all that is not Adam's.
template <class Update>
struct UpdateTask {
  Update update;
  Tensor& parameter;
  const Tensor& gradient;
  std::vector<Tensor>& slots;
  const Tensor& step_scale;
};

}  // namespace pade
