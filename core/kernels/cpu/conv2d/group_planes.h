#pragma once

#include <vector>

#include <pade/core/kernels/cpu/conv2d/padded_plane.h>
#include <pade/core/kernels/cpu/scratch.h>

/// Convolutions on TapPlanes, in which each term of a filter finds what it multiplies for all
/// pixels at a fixed distance.
namespace pade::cpu {

/// Up to the next multiple of what a register holds.
template <class T>
int64_t whole_vectors(int64_t count) {
  return blocks_of(count, kLaneCount<T>) * kLaneCount<T>;
}

/// A group's channels as tap planes, one after another; for each of several images.
template <class T>
class GroupPlanes {
 public:
  GroupPlanes(const Conv2dProblem& problem, const TapPlane& plane, int64_t images = 1)
      : image_stride(problem.group_in() * plane.size() + 2 * kOvershoot<T>),
        problem_(problem),
        plane_(plane),
        planes_(images * image_stride, T{0}) {}  // loops read a little beyond the planes
  /// The number of the group counts from the first image on.
  void fill(const T* x, int64_t group, int64_t image = 0, int64_t first_row = 0) {
    const int64_t pixels = problem_.image.area();
    for (int64_t c = 0; c < problem_.group_in(); ++c)
      plane_.fill(x + (group * problem_.group_in() + c) * pixels, first_row,
                  planes_.data() + image * image_stride + c * plane_.size());
  }
  const T* data() const { return planes_.data(); }

  const int64_t image_stride;

 private:
  const Conv2dProblem& problem_;
  const TapPlane& plane_;
  Scratch<T> planes_;
};

/// Where in these planes each term of a filter begins.
inline std::vector<int64_t> offsets_of_terms(const Conv2dProblem& problem, const TapPlane& plane) {
  std::vector<int64_t> offsets;
  for (int64_t c = 0; c < problem.group_in(); ++c)
    for (int64_t kh = 0; kh < problem.window.kernel.h; ++kh)
      for (int64_t kw = 0; kw < problem.window.kernel.w; ++kw)
        offsets.push_back(c * plane.size() + plane.offset(kh, kw));
  return offsets;
}

/// The gradients of a group's output channels as runs (see TapPlane): zeros between the rows, after
/// the last one and, as far as filters reach, in front; for each of several images.
template <class T>
class GroupRuns {
 public:
  GroupRuns(const Conv2dProblem& problem, const TapPlane& plane, int64_t images = 1)
      : stride(stride_of(problem, plane)),
        image_stride(problem.group_out() * stride),
        problem_(problem),
        pitch_(plane.pitch),
        runs_(images * image_stride, T{0}),
        first_(runs_.data() + margin(problem, plane)) {}
  void fill(const T* dy, int64_t group, int64_t image = 0) {
    const Size2 output = problem_.output;
    const T* from = dy + group * problem_.group_out() * output.area();
    for (int64_t o = 0; o < problem_.group_out(); ++o) {
      T* to = first_ + image * image_stride + o * stride;
      for (int64_t i = 0; i < output.h; ++i, from += output.w, to += pitch_)
        copy_run(from, to, output.w);
    }
  }
  /// The first channel's first pixel.
  const T* data() const { return first_; }

  static int64_t stride_of(const Conv2dProblem& problem, const TapPlane& plane) {
    return margin(problem, plane) + whole_vectors<T>(plane.phase_size());
  }

  const int64_t stride, image_stride;  ///< from one channel, or image, to the next

 private:
  static int64_t margin(const Conv2dProblem& problem, const TapPlane& plane) {
    return plane.offset_in_phase(problem.window.kernel.h - 1, problem.window.kernel.w - 1);
  }

  const Conv2dProblem& problem_;
  int64_t pitch_;
  Scratch<T> runs_;
  T* first_;
};

/// In each phase, the image's gradient is a convolution of the output's by the flipped filters, of
/// which it has the taps of this phase only. Of each term, an output channel and a tap:
struct FlippedTerms {
  std::vector<int64_t> offsets;  ///< where in the runs it begins
  std::vector<int64_t> weights;  ///< where its weight is, for the first input channel of a group
};

/// Of each phase.
template <class T>
std::vector<FlippedTerms> flipped_terms(const Conv2dProblem& problem, const TapPlane& plane) {
  const int64_t run_stride = GroupRuns<T>::stride_of(problem, plane);
  std::vector<FlippedTerms> phases(plane.phases.area());
  for (int64_t o = 0; o < problem.group_out(); ++o)
    for (int64_t kh = 0, tap = 0; kh < problem.window.kernel.h; ++kh)
      for (int64_t kw = 0; kw < problem.window.kernel.w; ++kw, ++tap) {
        FlippedTerms& terms = phases[plane.phase(kh, kw)];
        terms.offsets.push_back(o * run_stride - plane.offset_in_phase(kh, kw));
        terms.weights.push_back(o * problem.terms() + tap);
      }
  return phases;
}

}  // namespace pade::cpu
