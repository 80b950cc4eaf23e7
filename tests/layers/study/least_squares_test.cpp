#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/least_squares.h>

using namespace pade;

namespace {

// A line through four points: the columns 1 and x, and y.
const std::vector<double> kA = {1, 1, 1, 1, 0, 1, 2, 3}, kB = {1, 3, 4, 8};

}  // namespace

TEST_CASE("least squares: a line through four points") {
  // y = 1 + 2x with residuals (1, −1, −1, 1), which are orthogonal to both columns.
  const auto line = least_squares({1, 1, 1, 1, 0, 1, 2, 3}, {2, 2, 4, 8}, 2);
  CHECK(line[0] == doctest::Approx(1));
  CHECK(line[1] == doctest::Approx(2));
  CHECK_THROWS_WITH_AS(least_squares({1, 1}, {1}, 2), "least_squares: 1 equations for 2 unknowns",
                       Error);
  CHECK_THROWS_AS(least_squares({1, 2, 0, 0}, {1, 1}, 2), Error);
}

TEST_CASE("triangular_system has the same solution and the same differences of squares") {
  const TriangularSystem system = triangular_system(kA, kB, 2);
  const auto& [r, u] = system;
  CHECK(r[1] == 0);
  const double slope = u[1] / r[3];
  CHECK(slope == doctest::Approx(2.2));
  CHECK((u[0] - r[2] * slope) / r[0] == doctest::Approx(0.7));
  const auto whole = [&](double c0, double c1) {
    double total = 0;
    for (int k = 0; k < 4; ++k) total += std::pow(c0 * kA[k] + c1 * kA[4 + k] - kB[k], 2);
    return total;
  };
  const auto small = [&](double c0, double c1) {
    return std::pow(r[0] * c0 + r[2] * c1 - u[0], 2) + std::pow(r[3] * c1 - u[1], 2);
  };
  CHECK(whole(5, -2) - small(5, -2) == doctest::Approx(whole(0.7, 2.2)));
  CHECK(whole(0, 1) - small(0, 1) == doctest::Approx(whole(0.7, 2.2)));
}

TEST_CASE("triangular_system takes dependent columns, but not too few equations") {
  CHECK(triangular_system({1, 1, 1, 0, 0, 0}, {1, 2, 3}, 2).r[3] == 0);
  CHECK_THROWS_WITH_AS(triangular_system({1, 2, 3, 4}, {1, 2}, 2),
                       "triangular_system: 2 equations for 2 unknowns", Error);
}
