#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/study/gauss_quadrature.h>

using namespace pade;

namespace {

double integral_of_power(const Quadrature& rule, int power) {
  double sum = 0;
  for (size_t k = 0; k < rule.nodes.size(); ++k)
    sum += rule.weights[k] * std::pow(rule.nodes[k], power);
  return sum;
}

}  // namespace

TEST_CASE("Gauss rules integrate polynomials up to degree 2n − 1 exactly, and no further") {
  for (const int n : {1, 2, 5, 16}) {
    CAPTURE(n);
    const Quadrature legendre = gauss_legendre(n), hermite = gauss_hermite(n);
    double double_factorial = 1;  // E[Z²ᵏ] = (2k − 1)!!
    for (int k = 0; k < n; ++k) {
      CHECK(integral_of_power(legendre, 2 * k) ==
            doctest::Approx(2.0 / (2 * k + 1)).epsilon(1e-13));
      CHECK(integral_of_power(hermite, 2 * k) == doctest::Approx(double_factorial).epsilon(1e-12));
      CHECK(std::abs(integral_of_power(legendre, 2 * k + 1)) <= 1e-16);
      double_factorial *= 2 * k + 1;
    }
    if (n > 5) continue;  // where the defect is more than rounding
    CHECK(integral_of_power(legendre, 2 * n) < 2.0 / (2 * n + 1) - 1e-4);
    CHECK(integral_of_power(hermite, 2 * n) < double_factorial - 0.5);
  }
}

TEST_CASE("Gauss rules: tabulated nodes, and refusal") {
  const Quadrature three = gauss_legendre(3);
  CHECK(three.nodes[2] == doctest::Approx(std::sqrt(0.6)).epsilon(1e-15));
  CHECK(three.weights[1] == doctest::Approx(8.0 / 9).epsilon(1e-15));
  CHECK(gauss_hermite(3).nodes[2] == doctest::Approx(std::sqrt(3)).epsilon(1e-15));
  CHECK_THROWS_WITH_AS(gauss_legendre(0), "a quadrature of 0 points; at least 1 is needed", Error);
}
