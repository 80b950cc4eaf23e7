#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <pade/layers/study/fit_problem.h>

using namespace pade;

namespace {

FitPoints points() {
  FitPoints points;
  for (const double x : {-2.9, -1.2, -0.31, 0.2, 0.57, 1.31, 2.8}) {
    points.x.push_back(x);
    points.y.push_back(std::max(x, 0.0));
    points.slope.push_back(x > 0);
    points.weight.push_back(1 + 0.2 * x);
  }
  return points;
}

}  // namespace

TEST_CASE("a fit's Jacobian is the derivative of its residuals") {
  for (const Basis basis : kAllBases)
    for (const auto form : {RationalForm::termwise, RationalForm::whole_sum, RationalForm::full_sum,
                            RationalForm::unsafe})
      for (const double floor : {0.0, 0.3}) {
        CAPTURE(std::string(name_of(basis)));
        CAPTURE(std::string(name_of(form)));
        CAPTURE(floor);
        std::vector<double> z = {0.3, -0.4, 0.5, 0.2, 0.03, 0.05, 0.02};  // 3/3
        if (form == RationalForm::full_sum) z.insert(z.begin() + 4, 0.4);
        const FitProblem problem(points(), {basis, form}, 3, 3, 0.7, floor);
        const std::vector<double> jacobian = problem.jacobian(z);
        REQUIRE(problem.rows() == 14);
        for (int i = 0; i < problem.unknowns(); ++i) {
          std::vector<double> up = z, down = z;
          const double h = 1e-6;
          up[i] += h;
          down[i] -= h;
          const auto above = problem.residuals(up), below = problem.residuals(down);
          for (size_t k = 0; k < problem.rows(); ++k) {
            if (!std::isfinite(above[k]) || !std::isfinite(below[k])) continue;  // Q <= 0
            CHECK(jacobian[i * problem.rows() + k] ==
                  doctest::Approx((above[k] - below[k]) / (2 * h)).epsilon(1e-5));
          }
        }
      }
}

TEST_CASE("the floor is kept by every unknown, and start denominators survive it") {
  const FitProblem problem(points(), {Basis::hermite_h, RationalForm::termwise}, 3, 2, 0, 0.25);
  // H_1 = 2x and H_2 = 4x² − 2: leading coefficients 2 and 4, at R = 2.9.
  const RationalFunction least = problem.function({0, 0, 0, 0, 0.5, 0});
  CHECK(least.d[1] * 4 * 2.9 * 2.9 == doctest::Approx(0.25 * (1 + 0.5 * 2 * 2.9)));
  const RationalFunction kept = problem.function(problem.with_denominator({0.5, 3}));
  CHECK(kept.d[0] == doctest::Approx(0.5));
  CHECK(kept.d[1] == doctest::Approx(3));

  const FitProblem full(points(), {Basis::hermite_h, RationalForm::full_sum}, 3, 2, 0, 0.25);
  const RationalFunction lowest = full.function({0, 0, 0, 0, -0.3, 0.5, 0});
  CHECK(lowest.d[2] * 4 * 2.9 * 2.9 == doctest::Approx(0.25 * (0.1 + 0.3 + 0.5 * 2 * 2.9)));
  const RationalFunction also_kept = full.function(
      full.unknowns_of({{Basis::hermite_h, RationalForm::full_sum}, {1, 2, 3, 4}, {-0.3, 0.5, 3}}));
  CHECK(also_kept.c == std::vector<double>{1, 2, 3, 4});
  CHECK(also_kept.d[0] == -0.3);
  CHECK(also_kept.d[2] == doctest::Approx(3));
}
