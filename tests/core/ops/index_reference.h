#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <pade/core/random.h>
#include <pade/core/tensor.h>

/// Slow and plain index arithmetic, to hold the broadcasting and reducing kernels against.
namespace pade::reference {

/// Of an element, one number per axis.
struct Index {
  std::array<int64_t, Shape::kMaxRank> along{};
  int rank = 0;
};

inline Index index_of(const Shape& shape, int64_t flat) {
  Index index{{}, shape.rank()};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const int64_t extent = shape.begin()[axis];
    index.along[axis] = flat % extent;
    flat /= extent;
  }
  return index;
}

/// The element of a tensor of shape `operand` that stands at `index` of a shape it is stretched to.
inline int64_t stretched(const Shape& operand, const Index& index) {
  int64_t flat = 0;
  for (int axis = 0; axis < operand.rank(); ++axis) {
    const int64_t extent = operand.begin()[axis];
    flat = flat * extent + (extent == 1 ? 0 : index.along[index.rank - operand.rank() + axis]);
  }
  return flat;
}

/// `from` summed in float64 over the axes along which `to` is stretched.
inline std::vector<double> sum_to(const Tensor& from, const Shape& to) {
  const std::vector<double> values = from.to(Device::cpu).to(DType::float64).to_vector<double>();
  std::vector<double> sums(to.size(), 0.0);
  for (int64_t i = 0; i < from.size(); ++i)
    sums[stretched(to, index_of(from.shape(), i))] += values[i];
  return sums;
}

/// The largest |actual − expected| / max(1, |expected|); infinity where exactly one is NaN.
inline double worst_error(const Tensor& actual, const std::vector<double>& expected) {
  check(actual.size() == static_cast<int64_t>(expected.size()), "worst_error: sizes differ");
  const std::vector<double> values = actual.to(Device::cpu).to(DType::float64).to_vector<double>();
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i]) && std::isnan(expected[i])) continue;
    if (values[i] == expected[i]) continue;  // infinities too
    const double error = std::abs(values[i] - expected[i]) / std::max(1.0, std::abs(expected[i]));
    if (!(error <= worst)) worst = std::isnan(error) ? HUGE_VAL : error;
  }
  return worst;
}

/// A shape of rank 0 … 5 with extents 0 … 4, seldom 0.
inline Shape random_shape(Rng& rng) {
  std::vector<int64_t> extents(rng.below(6));
  for (int64_t& extent : extents)
    extent = rng.below(20) == 0 ? 0 : 1 + static_cast<int64_t>(rng.below(4));
  return Shape(std::span<const int64_t>(extents));
}

/// A shape that can be stretched to `shape`: some extents 1, some of the first axes missing.
inline Shape random_squeezed(Rng& rng, const Shape& shape) {
  std::vector<int64_t> extents;
  const int missing = rng.below(2) ? 0 : static_cast<int>(rng.below(shape.rank() + 1));
  for (int axis = missing; axis < shape.rank(); ++axis)
    extents.push_back(rng.below(2) ? shape[axis] : 1);
  return Shape(std::span<const int64_t>(extents));
}

}  // namespace pade::reference
