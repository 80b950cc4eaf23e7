#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include <pade/core/error.h>
#include <pade/layers/study/gauss_quadrature.h>
#include <pade/layers/study/gaussian_analysis.h>
#include <pade/layers/study/rational_regions.h>

using namespace pade;

namespace {

constexpr double kPi = std::numbers::pi;

Derivatives relu(double x) { return x > 0 ? Derivatives{x, 1, 0} : Derivatives{0, 0, 0}; }
Derivatives identity(double x) { return {x, 1, 0}; }
Derivatives square(double x) { return {x * x, 2 * x, 2}; }
Derivatives tanh_of(double x) {
  const double y = std::tanh(x), slope = 1 / (std::cosh(x) * std::cosh(x));
  return {y, slope, -2 * y * slope};
}
Derivatives swish(double x) {
  const double s = 1 / (1 + std::exp(-x)), ds = s * (1 - s);
  return {x * s, s + x * ds, 2 * ds + x * ds * (1 - 2 * s)};
}
Derivatives gelu(double x) {
  const double cdf = std::erfc(-x / std::sqrt(2.0)) / 2;
  const double density = std::exp(-x * x / 2) / std::sqrt(2 * kPi);
  return {x * cdf, cdf + x * density, (2 - x * x) * density};
}
Derivatives erf_of(double x) {
  const double slope = 2 / std::sqrt(kPi) * std::exp(-x * x);
  return {std::erf(x), slope, -2 * x * slope};
}

// Williams 1997: E[erf(√q Z)²] = 2/π asin(2q / (1 + 2q)), and E[erf′²] = 4/(π √(1 + 4q)).
double erf_square(double q) { return 2 / kPi * std::asin(2 * q / (1 + 2 * q)); }
double erf_slope_square(double q) { return 4 / (kPi * std::sqrt(1 + 4 * q)); }
double erf_square_by_q(double q) { return 4 / (kPi * (1 + 2 * q) * std::sqrt(1 + 4 * q)); }

constexpr double kVariances[] = {1e-6, 0.01, 1, 30, 1e6};

}  // namespace

TEST_CASE("Gaussian moments with closed forms") {
  for (const double q : kVariances) {
    CAPTURE(q);
    const GaussianMoments line = gaussian_moments(identity, q);
    CHECK(std::abs(line.mean) <= 1e-14 * std::sqrt(q));
    CHECK(line.square == doctest::Approx(q).epsilon(1e-13));
    CHECK(line.slope_square == doctest::Approx(1).epsilon(1e-13));
    const GaussianMoments ramp = gaussian_moments(relu, q);
    CHECK(ramp.mean == doctest::Approx(std::sqrt(q / (2 * kPi))).epsilon(1e-13));
    CHECK(ramp.square == doctest::Approx(q / 2).epsilon(1e-13));
    CHECK(ramp.slope_square == doctest::Approx(0.5).epsilon(1e-13));
    CHECK(ramp.square_by_q == doctest::Approx(0.5).epsilon(1e-13));
    const GaussianMoments parabola = gaussian_moments(square, q);
    CHECK(parabola.mean == doctest::Approx(q).epsilon(1e-13));
    CHECK(parabola.square == doctest::Approx(3 * q * q).epsilon(1e-13));
    CHECK(parabola.slope_square == doctest::Approx(4 * q).epsilon(1e-13));
    CHECK(parabola.square_by_q == doctest::Approx(6 * q).epsilon(1e-13));
    const GaussianMoments erf = gaussian_moments(erf_of, q);
    CHECK(erf.square == doctest::Approx(erf_square(q)).epsilon(1e-12));
    CHECK(erf.slope_square == doctest::Approx(erf_slope_square(q)).epsilon(1e-12));
    CHECK(erf.square_by_q == doctest::Approx(erf_square_by_q(q)).epsilon(1e-12));
  }
  // GELU by Stein's lemma: E = 1/(2√π), E² = 1/3 + e, E′² = 1/3 + 4e/3, with e = 1/(2π√3).
  const double e = 1 / (2 * kPi * std::sqrt(3));
  const GaussianMoments of_gelu = gaussian_moments(gelu, 1);
  CHECK(of_gelu.mean == doctest::Approx(0.5 / std::sqrt(kPi)).epsilon(1e-13));
  CHECK(of_gelu.square == doctest::Approx(1.0 / 3 + e).epsilon(1e-13));
  CHECK(of_gelu.slope_square == doctest::Approx(1.0 / 3 + 4 * e / 3).epsilon(1e-13));
}

TEST_CASE("the panels agree with the Gauss–Hermite rule where that converges") {
  const Quadrature rule = gauss_hermite(200);
  for (const auto f : {tanh_of, swish, gelu}) {
    double mean = 0, square = 0, slope_square = 0;
    for (size_t k = 0; k < rule.nodes.size(); ++k) {
      const Derivatives at = f(rule.nodes[k]);
      mean += rule.weights[k] * at.value;
      square += rule.weights[k] * at.value * at.value;
      slope_square += rule.weights[k] * at.slope * at.slope;
    }
    const GaussianMoments moments = gaussian_moments(f, 1);
    CHECK(std::abs(moments.mean - mean) <= 1e-12);
    CHECK(std::abs(moments.square - square) <= 1e-12);
    CHECK(std::abs(moments.slope_square - slope_square) <= 1e-12);
  }
}

TEST_CASE("a jump of the slope is found without its name, a pole is refused") {
  const auto shifted = [](double x) { return relu(x - 0.3); };
  const GaussianMoments named = gaussian_moments(shifted, 2, {0.3});
  const GaussianMoments unnamed = gaussian_moments(shifted, 2);
  CHECK(unnamed.square == doctest::Approx(named.square).epsilon(1e-13));
  CHECK(unnamed.slope_square == doctest::Approx(named.slope_square).epsilon(1e-13));
  const double above = std::erfc(0.3 / std::sqrt(2.0) / std::sqrt(2.0)) / 2;  // P(X > 0.3)
  CHECK(named.slope_square == doctest::Approx(above).epsilon(1e-13));

  const RationalFunction pole{{Basis::monomial, RationalForm::unsafe}, {1}, {-0.7}};
  CHECK_THROWS_WITH_AS(gaussian_moments([&](double x) { return derivatives_of(pole, x); }, 1),
                       doctest::Contains("is there a pole?"), Error);
  CHECK_THROWS_AS(gaussian_moments([](double) { return Derivatives{NAN, 0, 0}; }, 1), Error);
  CHECK_THROWS_WITH_AS(gaussian_moments(relu, 0),
                       "gaussian_moments: the variance is 0; it must be positive and finite",
                       Error);
}

TEST_CASE("variance gains are the known ones") {
  CHECK(variance_gain(relu) == doctest::Approx(2).epsilon(1e-13));
  CHECK(variance_gain(identity) == doctest::Approx(1).epsilon(1e-13));
  CHECK(std::abs(variance_gain(tanh_of) - 2.536) <= 5e-4);  // to the digits that are published
  CHECK(std::abs(variance_gain(swish) - 2.811) <= 5e-4);
  CHECK(std::abs(variance_gain(gelu) - 2.352) <= 5e-4);
  // x/(1 + |x|), by Simpson's rule over the positive half
  const RationalFunction soft_sign{{Basis::monomial, RationalForm::termwise}, {0, 1}, {1}};
  double half = 0;
  const double step = 14.0 / 20000;
  for (int k = 0; k <= 20000; ++k) {
    const double z = k * step, weight = k == 0 || k == 20000 ? 1 : k % 2 ? 4 : 2;
    half += weight * step / 3 * std::pow(z / (1 + z), 2) * std::exp(-z * z / 2);
  }
  const double gain =
      variance_gain([&](double x) { return derivatives_of(soft_sign, x); }, kinks_of(soft_sign));
  CHECK(gain == doctest::Approx(std::sqrt(2 * kPi) / (2 * half)).epsilon(1e-12));
}

TEST_CASE("fixed points of the variance map") {
  // q = 1 + q/2
  auto found = variance_fixed_points(relu, 1, 1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].q == doctest::Approx(2).epsilon(1e-11));
  CHECK(found[0].slope == doctest::Approx(0.5).epsilon(1e-12));
  CHECK(found[0].up_to == found[0].q);
  CHECK(chi(relu, found[0].q, 1) == doctest::Approx(0.5).epsilon(1e-12));
  // every variance
  found = variance_fixed_points(relu, std::sqrt(2), 0);
  REQUIRE(found.size() == 1);
  CHECK(found[0].q == doctest::Approx(1e-6));
  CHECK(found[0].up_to == doctest::Approx(1e6));
  CHECK(found[0].slope == doctest::Approx(1).epsilon(1e-12));
  // none in reach
  CHECK(variance_fixed_points(relu, 1, 0).empty());
  CHECK(variance_fixed_points(relu, 2, 1).empty());
  // q = q²/4 + 3/4, stable at 1 and unstable at 3
  found = variance_fixed_points(square, std::sqrt(1.0 / 12), std::sqrt(0.75));
  REQUIRE(found.size() == 2);
  CHECK(found[0].q == doctest::Approx(1).epsilon(1e-11));
  CHECK(found[0].slope == doctest::Approx(0.5).epsilon(1e-11));
  CHECK(found[1].q == doctest::Approx(3).epsilon(1e-11));
  CHECK(found[1].slope == doctest::Approx(1.5).epsilon(1e-11));
  // erf, by iterating Williams' formula
  double q = 1;
  for (int i = 0; i < 1000; ++i) q = 0.01 + 4 * erf_square(q);
  found = variance_fixed_points(erf_of, 2, 0.1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].q == doctest::Approx(q).epsilon(1e-11));
  CHECK(found[0].slope == doctest::Approx(4 * erf_square_by_q(q)).epsilon(1e-10));
}

TEST_CASE("the edge of chaos") {
  // ReLU's is one point, for every q
  const auto of_relu = edge_of_chaos(relu, {1e-3, 1, 50});
  REQUIRE(of_relu.size() == 3);
  for (const EdgeOfChaosPoint& point : of_relu) {
    CHECK(point.sigma_w == doctest::Approx(std::sqrt(2)).epsilon(1e-13));
    CHECK(point.sigma_b == 0);
  }
  const std::vector<double> q = {0.01, 0.3, 1, 20};
  const auto of_erf = edge_of_chaos(erf_of, q);
  REQUIRE(of_erf.size() == q.size());
  for (size_t k = 0; k < q.size(); ++k) {
    const double weight = 1 / erf_slope_square(q[k]);
    CHECK(of_erf[k].q == q[k]);
    CHECK(of_erf[k].sigma_w == doctest::Approx(std::sqrt(weight)).epsilon(1e-12));
    CHECK(std::pow(of_erf[k].sigma_b, 2) ==
          doctest::Approx(q[k] - weight * erf_square(q[k])).epsilon(1e-8));
    CHECK(chi(erf_of, q[k], of_erf[k].sigma_w) == doctest::Approx(1).epsilon(1e-12));
  }
  // tanh: σ_w² = 1 + 2q − 3q² + O(q³) and σ_b² = 4q³/3 + O(q⁴), by the series of E[tanh²],
  // E[tanh′²]
  const EdgeOfChaosPoint small = edge_of_chaos(tanh_of, {1e-3}).at(0);
  CHECK(std::pow(small.sigma_w, 2) == doctest::Approx(1 + 2e-3 - 3e-6).epsilon(1e-7));
  CHECK(std::pow(small.sigma_b, 2) == doctest::Approx(4e-9 / 3).epsilon(0.02));
  // tanh: σ_w² = 1.76 where σ_b² = 0.05 (Schoenholz et al. 2017)
  double low = 0.1, high = 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const double bias = std::pow(edge_of_chaos(tanh_of, {middle}).at(0).sigma_b, 2);
    (bias < 0.05 ? low : high) = middle;
  }
  CHECK(std::abs(std::pow(edge_of_chaos(tanh_of, {low}).at(0).sigma_w, 2) - 1.76) <= 0.005);
  // x² would need σ_b² = q − 3q/4, which is there; 1 + x² would need less than nothing
  CHECK(edge_of_chaos(square, {1}).at(0).sigma_b == doctest::Approx(0.5));
  CHECK(edge_of_chaos([](double x) { return Derivatives{1 + x * x, 2 * x, 2}; }, {1}).empty());
  CHECK(edge_of_chaos([](double) { return Derivatives{1, 0, 0}; }, {1}).empty());
}
