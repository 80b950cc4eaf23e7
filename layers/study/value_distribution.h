#pragma once

#include <cstdint>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// Bars of one width: counts[k] values lie in [low + k·width, low + (k+1)·width).
struct Histogram {
  double low = 0, width = 0;
  std::vector<int64_t> counts;
  int64_t below = 0, above = 0;  ///< values left of the first bar and right of the last
};

/// The distribution of numbers that come in pieces: how many, their moments, and a histogram that
/// widens as they come.
///
/// The bars' width is a power of two, and their edges are multiples of it. It is the smallest with
/// which at most kMaxBars bars reach from the least to the largest value (but no smaller than
/// 2⁻⁴⁰, or 2⁻⁴⁰ of the largest |value|); when a value comes that they do not reach, neighbours
/// are merged in pairs. So the histogram depends on the values alone, not on their order, nor on
/// how they were cut into pieces. The same pieces in the same order give mean and variance of the
/// same bits.
class ValueDistribution {
 public:
  static constexpr int kMaxBars = 1024;

  /// Counts all elements, of a tensor of any shape on any device. Throws Error for integers.
  void add(const Tensor& values);

  /// The number of finite values; what follows, but for the shares, is of these.
  int64_t count() const { return count_; }
  double mean() const;      ///< NaN where there are none, like the next ones
  double variance() const;  ///< of the population: divided by count()
  double min() const;
  double max() const;

  int64_t nan_count() const { return nan_; }
  int64_t infinite_count() const { return infinite_; }
  /// Of all values, also those that are not finite; 0 where there are none.
  double nan_share() const;
  double infinite_share() const;

  /// At most `max_bars` bars, made of pairs of the finer ones. Where a few values lie far outside,
  /// up to `tail_share` of them on each side are left to `below` and `above`, which gives the
  /// others finer bars. No bars where there are no values. Throws Error for max_bars < 2 and a
  /// tail_share outside [0, 0.5).
  Histogram histogram(int max_bars = kMaxBars, double tail_share = 0) const;

 private:
  template <class T>
  void add_values(const T* values, int64_t size);
  /// Makes bars of the width that min_ and max_ ask for, with the counts so far.
  void widen();

  int64_t count_ = 0, nan_ = 0, infinite_ = 0;
  double mean_ = 0, squares_ = 0;  // the latter: Σ (x − mean)²
  double min_ = 0, max_ = 0;
  int exponent_ = 0;   // the width is 2^exponent
  int64_t first_ = 0;  // the first bar begins at first · width
  std::vector<int64_t> counts_;
};

}  // namespace pade
