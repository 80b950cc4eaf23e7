#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/kernels/kernels.h>

namespace pade::cpu {

/// So many elements are in L1 while one function after the other is applied to them.
inline constexpr int64_t kStrip = 512;

/// How many numbers one function may learn, and sums it may ask for, which are one for each lane.
inline constexpr int kMostLearned = 2 * (kMaxDegree + 1);
inline constexpr int kMostSums = kMostLearned * kLaneCount<float>;

/// A function of one element with its parameters, applied to a strip of elements. Where it has one
/// for each group of channels, this is that of one group.
template <class T>
class StripFunction {
 public:
  virtual ~StripFunction() = default;
  /// `streamed`: y may be written past the caches, and is aligned.
  virtual void forward(const T* x, T* y, int64_t count, bool streamed = false) const = 0;
  /// dx, which may be dy, from dy and x, or y; adds to sum_count() sums, of which total() makes the
  /// parameters' gradients.
  virtual void backward(const T* saved, const T* dy, T* dx, int64_t count, double* sums) const = 0;
  virtual int sum_count() const = 0;
  /// Makes one sum for each number that is learned, at most kMostLearned, from those of backward().
  virtual void total(const double* sums, double* totals) const = 0;
  /// The parameters' gradients, those of this group, from totals that were added up.
  virtual void finish(const double* totals, std::span<Tensor> gradients) const = 0;
};

template <class T>
using StripFunctions = std::vector<std::unique_ptr<StripFunction<T>>>;  // one for each group

/// What StripFunction::backward() is for: whether it makes sums, and whether it gets y, not x.
struct StripBackward {
  bool learns = false, from_value = false;
};

/// They point into the parameters, which must outlive them.
template <class T>
StripFunctions<T> strip_functions(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                                  StripBackward backward);

/// The same for P/Q, in rational.cpp.
template <class T>
StripFunctions<T> rational_strips(const RationalProblem& f, std::span<const Tensor> parameters);

}  // namespace pade::cpu
