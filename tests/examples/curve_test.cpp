#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

#include <pade/layers/activation.h>

#include "support/curve.h"

using namespace pade;
using namespace pade::support;

namespace {

/// 1 / (1 - x/2).
const ActivationFunction kPoleAtTwo =
    RationalFunction{{Basis::monomial, RationalForm::unsafe}, {1}, {-0.5}};

int count_nan(const std::vector<double>& values) {
  int count = 0;
  for (const double value : values) count += std::isnan(value);
  return count;
}

}  // namespace

TEST_CASE("points are even, and a curve through them breaks at poles") {
  CHECK(even_points(-1, 1, 5) == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  CHECK(even_points(3, 5, 1) == std::vector<double>{3});

  const std::vector<double> x = even_points(-5, 5, 12);  // 2 lies between the seventh and eighth
  const std::vector<double> values = sampled_values(kPoleAtTwo, x);
  CHECK(count_nan(values) == 2);
  CHECK(std::isnan(values[7]));
  CHECK(std::isnan(values[8]));
  CHECK(values[6] == doctest::Approx(1 / (1 - x[6] / 2)));
  // At a point, and at the ends.
  CHECK(count_nan(sampled_values(kPoleAtTwo, even_points(-4, 4, 9))) == 2);
  CHECK(count_nan(sampled_values(kPoleAtTwo, even_points(2, 4, 9))) == 1);
  CHECK(count_nan(sampled_values(kPoleAtTwo, even_points(-3, 2, 9))) == 2);
  CHECK(count_nan(sampled_values(kPoleAtTwo, even_points(-3, 1, 9))) == 0);
  CHECK(count_nan(sampled_values(make_activation("swish")->as_function(), x)) == 0);
}

TEST_CASE("several functions have a mean and a range, without what is not a number") {
  const ActivationFunction swish = make_activation("swish")->as_function();
  const std::vector<double> x = even_points(-4, 4, 9);
  const Band band = band_of({swish.with({0}), swish.with({1000})}, x);  // x/2 and nearly ReLU
  CHECK(band.mean[0] == doctest::Approx(-1));
  CHECK(band.least[0] == doctest::Approx(-2));
  CHECK(band.largest[0] == doctest::Approx(0));
  CHECK(band.mean[8] == doctest::Approx(3));
  CHECK(band.least[8] == doctest::Approx(2));
  CHECK(band.largest[8] == doctest::Approx(4));

  const Band broken = band_of({swish, kPoleAtTwo}, x);
  CHECK(std::isnan(broken.mean[6]));
  CHECK(broken.least[6] == doctest::Approx(2 / (1 + std::exp(-2.0))));
}

TEST_CASE("the range that is shown has room, and leaves out what a pole throws far away") {
  const auto [low, high] = shown_range({0, 10, INFINITY});
  CHECK(low == doctest::Approx(-0.6));
  CHECK(high == doctest::Approx(10.6));
  CHECK(shown_range({}) == std::pair<double, double>{-1, 1});
  const auto constant = shown_range({3, 3, 3});
  CHECK(constant.first < 3);
  CHECK(constant.second > 3);
  const auto pole = shown_range(sampled_values(kPoleAtTwo, even_points(-5, 5, 401)));
  CHECK(pole.first > -10);
  CHECK(pole.first < -1);
  CHECK(pole.second > 1);
  CHECK(pole.second < 10);
  // A function that is flat but for its end is shown whole.
  CHECK(
      shown_range(sampled_values(make_activation("relu")->as_function(), even_points(-100, 2, 401)))
          .second > 2);
}
