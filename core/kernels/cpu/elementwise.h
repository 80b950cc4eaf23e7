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
  /// dx, which may be dy, from dy and x; adds to sum_count() sums, of which total() makes the
  /// parameters' gradients.
  virtual void backward(const T* x, const T* dy, T* dx, int64_t count, double* sums) const = 0;
  /// dx from y, for a function that saves its value.
  virtual void backward_from_value([[maybe_unused]] const T* y, [[maybe_unused]] const T* dy,
                                   [[maybe_unused]] T* dx, [[maybe_unused]] int64_t count) const {}
  virtual int sum_count() const { return 0; }
  /// Makes one sum for each number that is learned, at most kMostLearned, from those of backward().
  virtual void total([[maybe_unused]] const double* sums, [[maybe_unused]] double* totals) const {}
  /// The parameters' gradients, those of this group, from totals that were added up.
  virtual void finish([[maybe_unused]] const double* totals,
                      [[maybe_unused]] std::span<Tensor> gradients) const {}
};

template <class T>
using StripFunctions = std::vector<std::unique_ptr<StripFunction<T>>>;  // one for each group

/// They point into the parameters, which must outlive them. `learns`: backward() makes sums.
template <class T>
StripFunctions<T> strip_functions(const ElementwiseProblem& f, std::span<const Tensor> parameters,
                                  bool learns);

/// The same for P/Q, in rational.cpp.
template <class T>
StripFunctions<T> rational_strips(const RationalProblem& f, const Tensor& numerator,
                                  const Tensor& denominator);

}  // namespace pade::cpu
