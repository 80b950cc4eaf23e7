#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include <pade/core/error.h>
#include <pade/layers/study/polynomial.h>

using namespace pade;

namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

Polynomial with_roots(const std::vector<double>& at) {
  Polynomial product{{1}};
  for (const double x : at) product = product * Polynomial{{-x, 1}};
  return product;
}

/// How far rounding of the coefficients by ε moves a simple root, ε Σ |c_k| |x|ᵏ / |p′(x)|, and the
/// rounding of both roots that are compared.
double condition(const Polynomial& p, double x) {
  double magnitude = 0;
  for (size_t k = p.c.size(); k-- > 0;) magnitude = magnitude * std::abs(x) + std::abs(p.c[k]);
  return kEps * (magnitude / std::abs(p.derivative()(x)) + std::abs(x));
}

void check_real_roots(const Polynomial& p, const std::vector<double>& expected) {
  const auto found = roots(p);
  REQUIRE(found.size() == expected.size());
  for (size_t k = 0; k < found.size(); ++k) {
    CAPTURE(expected[k]);
    CHECK(found[k].imag() == 0);
    CHECK(std::abs(found[k].real() - expected[k]) <= condition(p, expected[k]));
  }
}

/// The fourth polynomial of each family, as it is printed in tables.
double fourth(Basis basis, double x) {
  const double x2 = x * x, x3 = x2 * x, x4 = x2 * x2;
  switch (basis) {
    case Basis::monomial: return x4;
    case Basis::chebyshev_t: return 8 * x4 - 8 * x2 + 1;
    case Basis::chebyshev_u: return 16 * x4 - 12 * x2 + 1;
    case Basis::hermite_he: return x4 - 6 * x2 + 3;
    case Basis::hermite_h: return 16 * x4 - 48 * x2 + 12;
    case Basis::laguerre: return (x4 - 16 * x3 + 72 * x2 - 96 * x + 24) / 24;
    case Basis::legendre: return (35 * x4 - 30 * x2 + 3) / 8;
  }
  return NAN;
}

}  // namespace

TEST_CASE("the fourth polynomial of each family is the one in the tables") {
  for (const Basis basis : kAllBases)
    for (const double x : {-1.7, -0.3, 0.0, 0.9, 2.5})
      CHECK(evaluate_basis(basis, x)[4] == doctest::Approx(fourth(basis, x)).epsilon(1e-12));
}

TEST_CASE("the derivatives of each family are its slopes, and their slopes") {
  for (const Basis basis : kAllBases)
    for (const double x : {-1.7, -0.3, 0.0, 0.9, 2.5}) {
      const double h = 1e-5;
      const auto at = differentiate_basis(basis, x);
      CHECK(at[0] == evaluate_basis(basis, x));
      const auto above = differentiate_basis(basis, x + h),
                 below = differentiate_basis(basis, x - h);
      for (int k = 0; k <= kMaxDegree; ++k)
        for (const int order : {1, 2})
          CHECK(
              at[order][k] ==
              doctest::Approx((above[order - 1][k] - below[order - 1][k]) / (2 * h)).epsilon(1e-6));
    }
}

TEST_CASE("divided by powers of s the polynomials are the same, and none overflows") {
  for (const Basis basis : kAllBases) {
    const double x = -3.7, s = 4.1;
    const auto plain = differentiate_basis(basis, x), scaled = differentiate_basis(basis, x, s);
    for (int order = 0; order < 3; ++order)
      for (int k = 0; k <= kMaxDegree; ++k)
        CHECK(scaled[order][k] * std::pow(s, k - order) ==
              doctest::Approx(plain[order][k]).epsilon(1e-11));
    const auto far = differentiate_basis(basis, 1e300, 1e300);
    const MonicRecurrence monic = monic_recurrence_of(basis);
    for (int k = 0; k <= kMaxDegree; ++k)
      CHECK(far[0][k] == doctest::Approx(monic.scale[k] * std::pow(monic.sign, k)).epsilon(1e-14));
  }
}

TEST_CASE("polynomials: value, derivative, sum and product") {
  const Polynomial p{{1, -2, 3}}, q{{0, 1}};
  CHECK(p(2) == 9);
  CHECK(p.derivative().c == std::vector<double>{-2, 6});
  CHECK((p + q).c == std::vector<double>{1, -1, 3});
  CHECK((p * q).c == std::vector<double>{0, 1, -2, 3});
  CHECK((2.0 * p).c == std::vector<double>{2, -4, 6});
  CHECK(Polynomial{{4, 0, 0}}.degree() == 0);
  CHECK(Polynomial{{0, 0}}.degree() == -1);
  CHECK(Polynomial{}(3) == 0);
}

TEST_CASE("monomial coefficients are the polynomials of the tables") {
  auto fourth = [](Basis basis) { return monomial_coefficients(basis, {0, 0, 0, 0, 1}).c; };
  using C = std::vector<double>;
  CHECK(fourth(Basis::monomial) == C{0, 0, 0, 0, 1});
  CHECK(fourth(Basis::chebyshev_t) == C{1, 0, -8, 0, 8});
  CHECK(fourth(Basis::chebyshev_u) == C{1, 0, -12, 0, 16});
  CHECK(fourth(Basis::hermite_he) == C{3, 0, -6, 0, 1});
  CHECK(fourth(Basis::hermite_h) == C{12, 0, -48, 0, 16});
  for (const Basis basis : kAllBases)
    for (const double x : {-2.5, -0.3, 0.7, 3.0}) {
      const auto f = evaluate_basis(basis, x);
      const Polynomial p = monomial_coefficients(basis, {2, -1, 0, 3, 0, 0, 0, 0, 1});
      CHECK(p(x) == doctest::Approx(2 - f[1] + 3 * f[3] + f[8]).epsilon(1e-11));
    }
  CHECK_THROWS_WITH_AS(monomial_coefficients(Basis::monomial, std::vector<double>(10)),
                       "monomial_coefficients: 10 coefficients, but the highest degree is 8",
                       Error);
}

TEST_CASE("brackets are the numerators of a quotient's derivatives, and cancel exactly") {
  // (x² / (1 + x²))′ = 2x / (1 + x²)², and its second derivative's numerator is 2 − 6x².
  const Polynomial p{{0, 0, 1}}, q{{1, 0, 1}};
  const Polynomial w = bracket(1, p, 1, q);
  CHECK(w.c == std::vector<double>{0, 2, 0, 0});
  CHECK(bracket(1, w, 2, q).c == std::vector<double>{2, 0, -6});
  CHECK(bracket(1, 0.1 * (p + q), 1, 0.3 * (p + q)).degree() == -1);  // a constant quotient
  CHECK(bracket(1, Polynomial{{3}}, 1, Polynomial{{5}}).degree() == -1);
}

TEST_CASE("real roots are as exact as the coefficients") {
  check_real_roots(with_roots({1, 2, 3, 4, 5, 6, 7, 8}), {1, 2, 3, 4, 5, 6, 7, 8});
  check_real_roots(with_roots({-1e6, 1e-6, 1}), {-1e6, 1e-6, 1});
  check_real_roots(with_roots({-3, 0, 0.5}), {-3, 0, 0.5});
  check_real_roots(Polynomial{{-1, 0, 1e-20}}, {-1e10, 1e10});
  for (int n = 1; n <= kMaxDegree; ++n) {
    std::vector<double> unit(n + 1), expected;
    unit[n] = 1;
    for (int k = n; k >= 1; --k) {
      const double angle = std::numbers::pi * (2 * k - 1) / (2 * n);
      expected.push_back(2 * k == n + 1 ? 0 : std::cos(angle));
    }
    check_real_roots(monomial_coefficients(Basis::chebyshev_t, unit), expected);
  }
}

TEST_CASE("complex roots come in conjugate pairs") {
  const auto unit = roots(Polynomial{{1, 0, 1}});
  REQUIRE(unit.size() == 2);
  CHECK(unit[0] == std::complex<double>(0, -1));
  CHECK(unit[1] == std::complex<double>(0, 1));
  // (x − 2) (x² − 2x + 5) has 1 ± 2i
  const auto mixed = roots(Polynomial{{-10, 9, -4, 1}});
  REQUIRE(mixed.size() == 3);
  CHECK(mixed[0] == std::conj(mixed[1]));
  CHECK(std::abs(mixed[1] - std::complex<double>(1, 2)) <= 4 * kEps);
  CHECK(mixed[2].imag() == 0);
  CHECK(mixed[2].real() == doctest::Approx(2).epsilon(1e-15));
  // A pair at 1 ± 1e-4i is far from what rounding does to a double root, and stays complex.
  const auto close = roots(Polynomial{{1 + 1e-8, -2, 1}});
  CHECK(close[1].imag() == doctest::Approx(1e-4).epsilon(1e-6));
}

TEST_CASE("multiple roots are real, and near by the root of the rounding") {
  // p(x) = (x − r)ᵏ g(x), known to ε Σ |c_i| |r|ⁱ, has its roots within (that / |g(r)|)^{1/k} of r.
  auto check_cluster = [](const Polynomial& p, double r, int multiplicity, double g) {
    double magnitude = 0;
    for (size_t k = p.c.size(); k-- > 0;) magnitude = magnitude * std::abs(r) + std::abs(p.c[k]);
    const double n = p.degree();
    const double radius = std::pow(4 * n * kEps * magnitude / std::abs(g), 1.0 / multiplicity);
    int near = 0;
    for (const double x : real_roots(p)) near += std::abs(x - r) <= radius;
    CHECK(near == multiplicity);
    CHECK(roots(p).size() == static_cast<size_t>(p.degree()));
  };
  check_cluster(with_roots({1, 1}), 1, 2, 1);
  check_cluster(with_roots({1, 1, 4}), 1, 2, -3);
  check_cluster(with_roots({0.3, 0.3}), 0.3, 2, 1);
  check_cluster(with_roots({-2, 1, 1, 1}), 1, 3, 3);
  CHECK(roots(Polynomial{{0, 0, 0, 2}}) == std::vector<std::complex<double>>(3, 0.0));
}

TEST_CASE("constants have no roots, and negligible leading coefficients add none") {
  CHECK(roots(Polynomial{{7, 0, 0}}).empty());
  CHECK(real_roots(Polynomial{}).empty());
  CHECK(roots(Polynomial{{-2, 1, 0, 0}}) == std::vector<std::complex<double>>{2.0});
  const auto found = roots(Polynomial{{-2, 1, 1e-30, -1e-45}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].real() == doctest::Approx(2).epsilon(1e-15));
  CHECK_THROWS_WITH_AS(roots(Polynomial{{0, 0}}),
                       "roots: every number is a root of the polynomial 0", Error);
  CHECK_THROWS_AS(roots(Polynomial{{1, NAN}}), Error);
}
