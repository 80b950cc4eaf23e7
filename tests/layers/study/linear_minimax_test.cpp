#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/linear_minimax.h>

using namespace pade;

TEST_CASE("linear_minimax finds the middle between the farthest values") {
  // One unknown that is added to every row.
  const LinearMinimax best = linear_minimax({1, 1, 1, 1}, {-3, 5, 0.5, 2}, {-10}, {10});
  REQUIRE(best.solved);
  CHECK(best.x[0] == doctest::Approx(-1));
  CHECK(best.largest == doctest::Approx(4));
}

TEST_CASE("linear_minimax finds Chebyshev's polynomial") {
  // x⁴ + Σ a_i xⁱ is smallest on [−1, 1] as T_4/8 = x⁴ − x² + 1/8, which oscillates between ±1/8.
  const int rows = 201;
  std::vector<double> a, r;
  for (int power = 0; power <= 4; ++power)
    for (int k = 0; k < rows; ++k) {
      const double x = std::cos(std::acos(-1.0) * k / (rows - 1));
      (power < 4 ? a : r).push_back(std::pow(x, power));
    }
  const LinearMinimax best = linear_minimax(a, r, {-5, -5, -5, -5}, {5, 5, 5, 5});
  REQUIRE(best.solved);
  CHECK(best.largest == doctest::Approx(0.125).epsilon(1e-9));
  const double expected[] = {0.125, 0, -1, 0};
  for (int i = 0; i < 4; ++i) CHECK(std::abs(best.x[i] - expected[i]) <= 1e-9);
}

TEST_CASE("linear_minimax stays within the bounds") {
  const LinearMinimax best = linear_minimax({1, 1, 1, 1}, {-3, 5, 0.5, 2}, {-0.25}, {10});
  REQUIRE(best.solved);
  CHECK(best.x[0] == doctest::Approx(-0.25));
  CHECK(best.largest == doctest::Approx(4.75));
  CHECK(linear_minimax({1, 1}, {1, 2}, {0}, {0}).largest == doctest::Approx(2));
}

TEST_CASE("linear_minimax refuses sizes and bounds that make no sense") {
  CHECK_THROWS_WITH_AS(linear_minimax({1, 1, 1}, {1, 2}, {0}, {1}),
                       "linear_minimax: 3 entries for 2 rows, and bounds for 1 and 1 unknowns",
                       Error);
  CHECK_THROWS_WITH_AS(linear_minimax({1, 1}, {1, 2}, {1}, {0}),
                       "linear_minimax: the bounds [1, 0] of unknown 0", Error);
}
