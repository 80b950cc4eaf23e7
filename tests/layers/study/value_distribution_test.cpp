#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/layers/study/value_distribution.h>

#include "tests/devices.h"

using namespace pade;

namespace {

Tensor tensor_of(const std::vector<double>& values) {
  Tensor tensor = Tensor::empty({static_cast<int64_t>(values.size())}, DType::float64);
  std::copy(values.begin(), values.end(), tensor.mutable_data<double>());
  return tensor;
}

/// Counts each bar's values by comparing them with its edges.
void check_against_edges(const Histogram& histogram, const std::vector<double>& values) {
  auto count_in = [&](double low, double high) {
    return std::count_if(values.begin(), values.end(),
                         [&](double x) { return std::isfinite(x) && x >= low && x < high; });
  };
  const double infinity = std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < histogram.counts.size(); ++k) {
    const double low = histogram.low + static_cast<double>(k) * histogram.width;
    CHECK(histogram.counts[k] == count_in(low, low + histogram.width));
  }
  const double high =
      histogram.low + static_cast<double>(histogram.counts.size()) * histogram.width;
  CHECK(histogram.below == count_in(-infinity, histogram.low));
  CHECK(histogram.above == count_in(high, infinity));
}

bool same(const Histogram& a, const Histogram& b) {
  return a.low == b.low && a.width == b.width && a.counts == b.counts && a.below == b.below &&
         a.above == b.above;
}

}  // namespace

DEVICE_TEST_CASE("a distribution has the values' moments and counts") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor values = Rng(5).normal({7, 3, 11}, 0.3, 2, dtype);
    const std::vector<double> list = values.to(DType::float64).to_vector<double>();
    ValueDistribution distribution;
    distribution.add(values.to(device));

    long double mean = 0, variance = 0;
    for (double x : list) mean += x / static_cast<long double>(list.size());
    for (double x : list)
      variance += (x - mean) * (x - mean) / static_cast<long double>(list.size());
    CHECK(distribution.count() == 231);
    CHECK(distribution.mean() == doctest::Approx(static_cast<double>(mean)).epsilon(1e-12));
    CHECK(distribution.variance() == doctest::Approx(static_cast<double>(variance)).epsilon(1e-12));
    CHECK(distribution.min() == *std::min_element(list.begin(), list.end()));
    CHECK(distribution.max() == *std::max_element(list.begin(), list.end()));
    check_against_edges(distribution.histogram(), list);
    check_against_edges(distribution.histogram(20), list);
    check_against_edges(distribution.histogram(20, 0.05), list);
  }
}

TEST_CASE("pieces in any order give the histogram of the whole") {
  std::vector<double> values;
  Rng rng(8);
  for (double scale : {1e-3, 1.0, 50.0, 1e-9, 4e5})
    for (double x : rng.normal({40}, 0, scale, DType::float64).to_vector<double>())
      values.push_back(x);
  ValueDistribution whole;
  whole.add(tensor_of(values));
  check_against_edges(whole.histogram(), values);
  for (const bool reversed : {false, true}) {
    if (reversed) std::reverse(values.begin(), values.end());
    ValueDistribution pieces;
    for (size_t i = 0; i < values.size(); i += 8)
      pieces.add(tensor_of({values.begin() + static_cast<int64_t>(i),
                            values.begin() + static_cast<int64_t>(i) + 8}));
    CHECK(same(pieces.histogram(), whole.histogram()));
    CHECK(pieces.count() == whole.count());
    CHECK(pieces.mean() == doctest::Approx(whole.mean()));
    CHECK(pieces.variance() == doctest::Approx(whole.variance()));
  }
}

TEST_CASE("NaN and infinities are counted apart") {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  ValueDistribution distribution;
  distribution.add(tensor_of({nan, infinity}));
  CHECK(distribution.count() == 0);
  CHECK(std::isnan(distribution.mean()));
  CHECK(std::isnan(distribution.variance()));
  CHECK(distribution.histogram().counts.empty());
  distribution.add(tensor_of({1, nan, -infinity, 2, nan, 6}));
  CHECK(distribution.count() == 3);
  CHECK(distribution.mean() == 3);
  CHECK(distribution.variance() == doctest::Approx(14.0 / 3));
  CHECK(distribution.nan_share() == 3.0 / 8);
  CHECK(distribution.infinite_share() == 2.0 / 8);
  CHECK(ValueDistribution().nan_share() == 0);
}

TEST_CASE("extreme values have a bar too") {
  const double huge = std::numeric_limits<double>::max(), tiny = 5e-324;
  for (const auto& values : std::vector<std::vector<double>>{{0},
                                                             {3, 3, 3},
                                                             {-tiny, tiny},
                                                             {-huge, 0, huge},
                                                             {1e308, -1e-300, -tiny},
                                                             {1e15, 1e15 + 1},
                                                             {-1e-12, 1e-3}}) {
    ValueDistribution together, alone;
    together.add(tensor_of(values));
    for (double x : values) alone.add(tensor_of({x}));
    for (const ValueDistribution* distribution : {&together, &alone}) {
      const Histogram histogram = distribution->histogram();
      CHECK(std::accumulate(histogram.counts.begin(), histogram.counts.end(), int64_t{0}) ==
            static_cast<int64_t>(values.size()));
      CHECK(histogram.counts.size() <= ValueDistribution::kMaxBars);
    }
    CHECK(same(together.histogram(), alone.histogram()));
  }
}

TEST_CASE("rare values outside do not coarsen a histogram with tails") {
  std::vector<double> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) / 1000;
  values.push_back(300);
  ValueDistribution distribution;
  distribution.add(tensor_of(values));
  CHECK(distribution.histogram(64).width == 8);
  const Histogram histogram = distribution.histogram(64, 0.002);
  CHECK(histogram.above == 1);
  CHECK(histogram.width <= 0.5);
  check_against_edges(histogram, values);
}

TEST_CASE("a distribution refuses what it cannot count") {
  ValueDistribution distribution;
  CHECK_THROWS_WITH_AS(distribution.add(Tensor::zeros({2}, DType::int32)),
                       "ValueDistribution::add: expected float32 or float64, got int32", Error);
  CHECK_THROWS_AS(distribution.histogram(1), Error);
  CHECK_THROWS_AS(distribution.histogram(8, 0.5), Error);
  CHECK_THROWS_AS(distribution.histogram(8, -0.1), Error);
}
