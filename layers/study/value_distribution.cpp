#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <pade/core/error.h>
#include <pade/layers/study/value_distribution.h>

namespace pade {
namespace {

constexpr int kFinest = -40;  // the least exponent; |values| below 2^kFinest are put at 0
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// The bar that x is in, when the bars are 1/scale wide, counted from the one that begins at 0.
int64_t bar_of(double x, double scale) {
  return std::abs(x) < 0x1p-40 ? 0 : static_cast<int64_t>(std::floor(x * scale));
}

/// The least exponent with which kMaxBars bars reach from min to max.
int exponent_for(double min, double max) {
  const double largest = std::max(std::abs(min), std::abs(max));
  int exponent = largest < 1 ? kFinest : std::ilogb(largest) + kFinest;
  auto bars = [&] {
    const double scale = std::ldexp(1.0, -exponent);
    return bar_of(max, scale) - bar_of(min, scale) + 1;
  };
  while (bars() > ValueDistribution::kMaxBars) ++exponent;
  return exponent;
}

/// The bar of 2^by times the width in which this one lies.
int64_t merged(int64_t bar, int by) { return bar >> std::min(by, 63); }

}  // namespace

void ValueDistribution::add(const Tensor& values) {
  check(is_floating(values.dtype()), "ValueDistribution::add: expected float32 or float64, got ",
        values.dtype());
  const Tensor here = values.detach().to(Device::cpu);
  if (here.dtype() == DType::float32)
    add_values(here.data<float>(), here.size());
  else
    add_values(here.data<double>(), here.size());
}

template <class T>
void ValueDistribution::add_values(const T* values, int64_t size) {
  int64_t count = 0;
  double sum = 0, min = std::numeric_limits<double>::infinity(), max = -min;
  for (int64_t i = 0; i < size; ++i) {
    const double x = values[i];
    if (!std::isfinite(x)) {
      ++(std::isnan(x) ? nan_ : infinite_);
      continue;
    }
    ++count;
    sum += x;
    min = std::min(min, x);
    max = std::max(max, x);
  }
  if (count == 0) return;
  min_ = count_ == 0 ? min : std::min(min, min_);
  max_ = count_ == 0 ? max : std::max(max, max_);
  widen();

  const double mean = sum / static_cast<double>(count), scale = std::ldexp(1.0, -exponent_);
  double squares = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double x = values[i];
    if (!std::isfinite(x)) continue;
    squares += (x - mean) * (x - mean);
    ++counts_[static_cast<size_t>(bar_of(x, scale) - first_)];
  }
  // Chan, Golub and LeVeque (1979), eq. 2.1: two parts' sums of squares make that of both.
  const double before = static_cast<double>(count_), here = static_cast<double>(count);
  const double step = mean - mean_, part = here / (before + here);
  squares_ += squares + step * step * before * part;
  mean_ += step * part;
  count_ += count;
}

void ValueDistribution::widen() {
  const int exponent = exponent_for(min_, max_);
  const double scale = std::ldexp(1.0, -exponent);
  const int64_t first = bar_of(min_, scale), last = bar_of(max_, scale);
  const int64_t bars = last - first + 1;
  if (exponent == exponent_ && first == first_ && bars == static_cast<int64_t>(counts_.size()))
    return;
  std::vector<int64_t> counts(static_cast<size_t>(bars));
  for (size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] > 0) {
      const int64_t bar = merged(first_ + static_cast<int64_t>(i), exponent - exponent_);
      counts[static_cast<size_t>(bar - first)] += counts_[i];
    }
  exponent_ = exponent;
  first_ = first;
  counts_ = std::move(counts);
}

double ValueDistribution::mean() const { return count_ > 0 ? mean_ : kNone; }
double ValueDistribution::variance() const {
  return count_ > 0 ? squares_ / static_cast<double>(count_) : kNone;
}
double ValueDistribution::min() const { return count_ > 0 ? min_ : kNone; }
double ValueDistribution::max() const { return count_ > 0 ? max_ : kNone; }

double ValueDistribution::nan_share() const {
  return static_cast<double>(nan_) /
         static_cast<double>(std::max<int64_t>(1, count_ + nan_ + infinite_));
}
double ValueDistribution::infinite_share() const {
  return static_cast<double>(infinite_) /
         static_cast<double>(std::max<int64_t>(1, count_ + nan_ + infinite_));
}

Histogram ValueDistribution::histogram(int max_bars, double tail_share) const {
  check(max_bars >= 2, "ValueDistribution::histogram: expected at least 2 bars, got ", max_bars);
  check(tail_share >= 0 && tail_share < 0.5,
        "ValueDistribution::histogram: expected a tail_share in [0, 0.5), got ", tail_share);
  if (count_ == 0) return {};
  const double tail = tail_share * static_cast<double>(count_);
  size_t begin = 0, end = counts_.size();
  for (double left = tail - static_cast<double>(counts_[begin]); left >= 0;
       left -= static_cast<double>(counts_[begin]))
    ++begin;
  for (double left = tail - static_cast<double>(counts_[end - 1]); left >= 0;
       left -= static_cast<double>(counts_[end - 1]))
    --end;

  const int64_t first = first_ + static_cast<int64_t>(begin);
  const int64_t last = first_ + static_cast<int64_t>(end) - 1;
  int by = 0;
  while (merged(last, by) - merged(first, by) >= max_bars) ++by;
  Histogram histogram;
  histogram.width = std::ldexp(1.0, exponent_ + by);
  histogram.low = static_cast<double>(merged(first, by)) * histogram.width;
  const int64_t bars = merged(last, by) - merged(first, by) + 1;
  histogram.counts.resize(static_cast<size_t>(bars));
  for (size_t i = 0; i < counts_.size(); ++i) {
    const int64_t bar = merged(first_ + static_cast<int64_t>(i), by) - merged(first, by);
    if (bar < 0)
      histogram.below += counts_[i];
    else if (bar >= bars)
      histogram.above += counts_[i];
    else
      histogram.counts[static_cast<size_t>(bar)] += counts_[i];
  }
  return histogram;
}

}  // namespace pade
