#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/rational.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

using namespace pade;

namespace {

using Real = long double;

constexpr RationalForm kForms[] = {RationalForm::termwise, RationalForm::whole_sum,
                                   RationalForm::unsafe};

/// f_k and f_k′ by the textbook identities of each family, one by one.
struct Polynomials {
  std::vector<Real> f, df;
};

Polynomials polynomials(Basis basis, int top, Real x) {
  std::vector<Real> f(top + 2, 0), df(top + 2, 0), u(top + 2, 0);  // u: Chebyshev's second kind
  f[0] = 1, u[0] = 1, u[1] = 2 * x;
  for (int n = 1; n < top; ++n) u[n + 1] = 2 * x * u[n] - u[n - 1];
  switch (basis) {
    case Basis::chebyshev_u:
    case Basis::hermite_h: f[1] = 2 * x, df[1] = 2; break;
    case Basis::laguerre: f[1] = 1 - x, df[1] = -1; break;
    default: f[1] = x, df[1] = 1;
  }
  for (int n = 1; n < top; ++n) {
    switch (basis) {
      case Basis::monomial:
        f[n + 1] = f[n] * x;
        df[n + 1] = (n + 1) * f[n];
        break;
      case Basis::chebyshev_t:
        f[n + 1] = 2 * x * f[n] - f[n - 1];
        df[n + 1] = (n + 1) * u[n];
        break;
      case Basis::chebyshev_u:
        f[n + 1] = 2 * x * f[n] - f[n - 1];
        df[n + 1] = 2 * f[n] + 2 * x * df[n] - df[n - 1];
        break;
      case Basis::hermite_he:
        f[n + 1] = x * f[n] - n * f[n - 1];
        df[n + 1] = (n + 1) * f[n];
        break;
      case Basis::hermite_h:
        f[n + 1] = 2 * x * f[n] - 2 * n * f[n - 1];
        df[n + 1] = 2 * (n + 1) * f[n];
        break;
      case Basis::laguerre:
        f[n + 1] = ((2 * n + 1 - x) * f[n] - n * f[n - 1]) / (n + 1);
        df[n + 1] = df[n] - f[n];
        break;
      case Basis::legendre:
        f[n + 1] = ((2 * n + 1) * x * f[n] - n * f[n - 1]) / (n + 1);
        df[n + 1] = df[n - 1] + (2 * n + 1) * f[n];
        break;
    }
  }
  return {f, df};
}

struct Reference {
  Real value, slope;
  std::vector<Real> of_c, of_d;
  // How much larger the terms are than their sum: rounding errors grow by as much.
  Real value_scale, slope_scale, amplification;
  bool near_kink = false;
};

Reference reference(Basis basis, RationalForm form, const std::vector<double>& c,
                    const std::vector<double>& d, Real x) {
  const int m = static_cast<int>(c.size()) - 1, n = static_cast<int>(d.size());
  const auto [f, df] = polynomials(basis, std::max({m, n, 1}), x);
  Real p = 0, dp = 0, p_size = 0, dp_size = 0;
  for (int i = 0; i <= m; ++i) {
    p += c[i] * f[i], p_size += std::abs(c[i] * f[i]);
    dp += c[i] * df[i], dp_size += std::abs(c[i] * df[i]);
  }
  Reference r{};
  Real sum = 0, dsum = 0, sum_size = 0, dsum_size = 0;
  for (int j = 1; j <= n; ++j) {
    const Real sign = form != RationalForm::termwise ? 1 : f[j] < 0 ? -1 : 1;
    const Real weight = form == RationalForm::termwise ? std::abs(d[j - 1]) : d[j - 1];
    sum += weight * sign * f[j], sum_size += std::abs(weight * f[j]);
    dsum += weight * sign * df[j], dsum_size += std::abs(weight * df[j]);
    if (form == RationalForm::termwise)
      r.near_kink |= std::abs(f[j]) < 1e-3L * std::max(Real(1), std::abs(x));
  }
  const Real turn = form == RationalForm::whole_sum && sum < 0 ? -1 : 1;
  if (form == RationalForm::whole_sum) r.near_kink = n > 0 && std::abs(sum) < 1e-3L * sum_size;
  const Real q = 1 + turn * sum;
  r.value = p / q;
  r.slope = (dp - r.value * turn * dsum) / q;
  for (int i = 0; i <= m; ++i) r.of_c.push_back(f[i] / q);
  for (int j = 1; j <= n; ++j) {
    const Real sign =
        form == RationalForm::termwise ? (f[j] < 0 ? -1 : 1) * (d[j - 1] < 0 ? -1 : 1) : turn;
    r.of_d.push_back(-sign * f[j] * r.value / q);
  }
  r.amplification = (1 + sum_size) / std::abs(q);
  r.value_scale = p_size / std::abs(q) * r.amplification;
  r.slope_scale = (dp_size + p_size / std::abs(q) * dsum_size) / std::abs(q) * r.amplification;
  return r;
}

template <class T>
Tensor tensor_of(const std::vector<double>& values) {
  return Tensor::from(std::vector<T>(values.begin(), values.end()),
                      {static_cast<int64_t>(values.size())});
}

struct Result {
  std::vector<double> value, slope, of_c, of_d;
};

/// The op's values, slopes, and coefficient gradients (summed over x) for dy = 1.
template <class T>
Result run(const std::vector<double>& x, const std::vector<double>& c, const std::vector<double>& d,
           RationalOptions options) {
  Tensor tx = tensor_of<T>(x), tc = tensor_of<T>(c), td = tensor_of<T>(d);
  tx.requires_grad_(), tc.requires_grad_(), td.requires_grad_();
  Tape tape;
  const Tensor y = rational(tx, tc, td, options);
  Tensor total = Tensor::scalar(0, y.dtype());
  record("total", {&y}, total, {},
         [&](Gradients& gradients) { gradients.set(0, Tensor::ones(y.shape(), y.dtype())); });
  tape.backward(total);
  auto doubles = [](const Tensor& t) { return t.to(DType::float64).template to_vector<double>(); };
  return {doubles(y), doubles(tx.grad()), doubles(tc.grad()), doubles(td.grad())};
}

/// The coefficients as T stores them, so that reference and op see the same.
template <class T>
std::vector<double> random_coefficients(Rng& rng, int count, double low, double high) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<T>(low + (high - low) * rng.uniform()));
  return values;
}

/// Within `tolerance` of the terms' size; below float32's smallest normal number digits are lost.
bool close(double got, Real expected, Real scale, double tolerance) {
  const Real smallest = std::numeric_limits<float>::min();
  return std::abs(got - expected) <= tolerance * std::max({scale, std::abs(expected), smallest});
}

constexpr std::pair<int, int> kDegrees[] = {{5, 4}, {3, 2}, {0, 0}, {1, 1}, {5, 0}, {0, 4}, {2, 3},
                                            {4, 4}, {5, 5}, {6, 5}, {7, 6}, {8, 7}, {6, 8}, {8, 8}};

template <class T>
void compare_with_reference(double tolerance) {
  Rng rng(3);
  int compared = 0;
  for (const Basis basis : kAllBases)
    for (const RationalForm form : kForms)
      for (const auto& [m, n] : kDegrees) {
        CAPTURE(std::string(name_of(basis)));
        CAPTURE(std::string(name_of(form)));
        CAPTURE(m);
        CAPTURE(n);
        const auto c = random_coefficients<T>(rng, m + 1, -1, 1);
        const auto d = random_coefficients<T>(rng, n, -0.5, 0.5);
        for (int repeat = 0; repeat < 12; ++repeat) {
          const double x = static_cast<T>(6 * rng.uniform() - 3);
          const Reference expected = reference(basis, form, c, d, x);
          if (expected.near_kink || expected.amplification > 30) continue;
          ++compared;
          CAPTURE(x);
          const Result got = run<T>({x}, c, d, {basis, form});
          CHECK(close(got.value[0], expected.value, expected.value_scale, tolerance));
          CHECK(close(got.slope[0], expected.slope, expected.slope_scale, tolerance));
          for (int i = 0; i <= m; ++i)
            CHECK(close(got.of_c[i], expected.of_c[i],
                        expected.amplification * std::abs(expected.of_c[i]) + 1, tolerance));
          for (int j = 0; j < n; ++j)
            CHECK(close(got.of_d[j], expected.of_d[j],
                        expected.amplification * std::abs(expected.of_c[0]) * expected.value_scale *
                            std::max(Real(1), std::abs(expected.of_d[j])),
                        100 * tolerance));
        }
      }
  CHECK(compared > 2000);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && a.to_vector<float>() == b.to_vector<float>();
}

}  // namespace

TEST_CASE("rational equals a long double reference: every basis, form and degree") {
  SUBCASE("float32") { compare_with_reference<float>(4e-6); }
  SUBCASE("float64") { compare_with_reference<double>(1e-14); }
}

TEST_CASE("rational is finite and right from 1e-30 to 1e30") {
  Rng rng(4);
  std::vector<double> magnitudes;
  for (int exponent = -30; exponent <= 30; exponent += 3)
    magnitudes.push_back(std::pow(10, exponent));
  for (const Basis basis : kAllBases)
    for (const RationalForm form : {RationalForm::termwise, RationalForm::whole_sum})
      for (const auto& [m, n] : kDegrees) {
        if (m > n + 1) continue;
        CAPTURE(std::string(name_of(basis)));
        CAPTURE(std::string(name_of(form)));
        CAPTURE(m);
        CAPTURE(n);
        const auto c = random_coefficients<float>(rng, m + 1, 0.2, 1);
        const auto d = random_coefficients<float>(rng, n, 0.2, 1);
        for (const double sign : {-1, 1})
          for (const double magnitude : magnitudes) {
            const double x = static_cast<float>(sign * magnitude);
            CAPTURE(x);
            const Reference expected = reference(basis, form, c, d, x);
            const Result got = run<float>({x}, c, d, {basis, form});
            REQUIRE(std::isfinite(got.value[0]));
            REQUIRE(std::isfinite(got.slope[0]));
            CHECK(close(got.value[0], expected.value, expected.value_scale, 2e-6));
            if (!expected.near_kink)
              CHECK(close(got.slope[0], expected.slope, expected.slope_scale, 4e-6));
            for (int i = 0; i <= m; ++i) REQUIRE(std::isfinite(got.of_c[i]));
            for (int j = 0; j < n; ++j) REQUIRE(std::isfinite(got.of_d[j]));
          }
      }
}

TEST_CASE("rational evaluates ordinary and far elements side by side") {
  const std::vector<double> c = {0.5, 1, -0.25, 0.125, 0.5, 0.25}, d = {0.5, 0.25, 1, 0.5};
  std::vector<double> x;
  for (int i = 0; i < 1100; ++i) x.push_back(i == 700 ? 1e20 : 0.01 * (i % 500) + 0.003);
  const Result together = run<float>(x, c, d, {});
  std::vector<double> of_c(c.size(), 0);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const Result alone = run<float>({x[i]}, c, d, {});
    const Reference expected = reference(Basis::hermite_he, RationalForm::termwise, c, d, x[i]);
    const double error = std::abs(together.value[i] - alone.value[0]) / expected.value_scale +
                         std::abs(together.slope[i] - alone.slope[0]) / expected.slope_scale;
    if (!std::isnan(worst) && !(error <= worst)) worst = error;
    for (size_t k = 0; k < c.size(); ++k) of_c[k] += alone.of_c[k];
  }
  CHECK(worst <= 4e-6);
  for (size_t k = 0; k < c.size(); ++k)
    CHECK(std::abs(together.of_c[k] - of_c[k]) <= 1e-6 * std::abs(of_c[k]));
}

TEST_CASE("rational agrees with central differences") {
  Rng rng(5);
  for (const Basis basis : kAllBases)
    for (const RationalForm form : kForms)
      for (const auto& [m, n] : {std::pair{5, 4}, std::pair{3, 2}, std::pair{2, 5}}) {
        const Tensor c = rng.uniform({m + 1}, -1, 1, DType::float64);
        const Tensor d = rng.uniform({n}, 0.05, 0.3, DType::float64);
        // Away from the zeros of every f_j, and of the whole sum, in all families.
        const Tensor x = rng.uniform({3, 23}, 6.9, 9, DType::float64);
        const double step = 1e-6;
        const auto report = gradcheck(
            [&](const auto& in) {
              return rational(in[0], in[1], in[2], {basis, form});
            },
            {x, c, d}, {.step = step, .tolerance = 1e-5});
        CHECK_MESSAGE(report.ok, name_of(basis), " ", name_of(form), " ", m, "/", n, ": ",
                      report.message);
      }
}

TEST_CASE("rational handles shapes of every size") {
  Rng rng(6);
  const Tensor c = rng.uniform({6}, -1, 1, DType::float64);
  const Tensor d = rng.uniform({4}, 0.1, 1, DType::float64);
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{17, 3}, Shape{2, 0, 3},
                             Shape{2, 3, 4, 5}, Shape{513}}) {
    const auto report = gradcheck([](const auto& in) { return rational(in[0], in[1], in[2]); },
                                  {rng.uniform(shape, 2.5, 4, DType::float64), c, d});
    CHECK_MESSAGE(report.ok, to_string(shape), ": ", report.message);
  }
}

TEST_CASE("groups: every run of channels has its own function") {
  Rng rng(7);
  for (const Shape& shape : {Shape{3, 6}, Shape{2, 6, 5}, Shape{4, 6, 11, 13}, Shape{0, 6, 2}})
    for (const int64_t groups : {1, 2, 3, 6}) {
      CAPTURE(to_string(shape));
      CAPTURE(groups);
      const Tensor x = rng.normal(shape, 0, 1), c = rng.normal({groups, 6}, 0, 1),
                   d = rng.normal({groups, 4}, 0, 1);
      const Tensor y = rational(x, c, d);
      const int64_t run = shape.size_from(1) / groups;
      bool same = true;
      for (int64_t n = 0; n < shape[0]; ++n)
        for (int64_t g = 0; g < groups; ++g) {
          const Tensor of_group = x.reshape({shape[0], groups, run})[n][g];
          const Tensor expected = rational(of_group, c[g], d[g]);
          const Tensor got = y.reshape({shape[0], groups, run})[n][g];
          for (int64_t i = 0; i < run; ++i) same &= got.at({i}) == expected.at({i});
        }
      CHECK(same);
    }
  const auto report = gradcheck(
      [](const auto& in) { return rational(in[0], in[1], in[2]); },
      {rng.uniform({3, 4, 5}, 2.5, 4, DType::float64), rng.uniform({2, 6}, -1, 1, DType::float64),
       rng.uniform({2, 4}, 0.1, 1, DType::float64)});
  CHECK_MESSAGE(report.ok, report.message);
}

TEST_CASE("one thread and two give the same bits") {
  Rng rng(8);
  const int threads = num_threads();
  for (const int64_t groups : {1, 4}) {
    Tensor x = rng.normal({25, 4, 1003}, 0, 2).requires_grad_();
    Tensor c = rng.normal({groups, 6}, 0, 1).requires_grad_();
    Tensor d = rng.normal({groups, 4}, 0, 1).requires_grad_();
    const Tensor dy = rng.normal(x.shape(), 0, 1);
    std::vector<std::vector<Tensor>> results;
    for (const int count : {1, 2}) {
      set_num_threads(count);
      Tape tape;
      const Tensor y = rational(x, c, d);
      Tensor total = Tensor::scalar(0);
      record("total", {&y}, total, {}, [&](Gradients& gradients) { gradients.set(0, dy); });
      tape.backward(total);
      results.push_back({y, x.grad().clone(), c.grad().clone(), d.grad().clone()});
    }
    for (int k = 0; k < 4; ++k) CHECK(same_bits(results[0][k], results[1][k]));
  }
  set_num_threads(threads);
}

TEST_CASE("coefficient gradients of a million elements keep float32's digits") {
  Rng rng(9);
  const Tensor x = rng.normal({1 << 20}, 0, 1);
  const std::vector<double> c = {1.125, 1.75, 1.0, 0.328125, 0.046875, 0.001953125};
  const std::vector<double> d = {1.125, 0.3125, 0.046875, 0.001953125};
  const std::vector<double> values = x.to(DType::float64).to_vector<double>();
  const Result single = run<float>(values, c, d, {}), wide = run<double>(values, c, d, {});
  for (size_t i = 0; i < c.size(); ++i)
    CHECK(std::abs(single.of_c[i] - wide.of_c[i]) <=
          1e-6 * (std::abs(wide.of_c[i]) + wide.of_c[0]));
  for (size_t j = 0; j < d.size(); ++j)
    CHECK(std::abs(single.of_d[j] - wide.of_d[j]) <=
          1e-6 * (std::abs(wide.of_d[j]) + wide.of_c[0]));
}

TEST_CASE("sgn(0) is +1: at a zero of f_j, of the whole sum, and of a coefficient") {
  // Termwise, monomial, at x = 0: f_1 = 0 and f_1′ = 1, so Q′ = +|d_1| and G′ = c_1 − c_0 |d_1|.
  const RationalOptions termwise{Basis::monomial, RationalForm::termwise};
  for (const double zero : {0.0, -0.0}) {
    CHECK(run<float>({zero}, {2, 3}, {0.5}, termwise).slope[0] == 3 - 2 * 0.5);
    CHECK(run<double>({zero}, {2, 3}, {-0.5}, termwise).slope[0] == 3 - 2 * 0.5);
  }
  // Laguerre L_1 = 1 − x is zero at 1 with slope −1: Q′ = −|d_1|, G = c_0, G′ = −c_1 + c_0 |d_1|.
  CHECK(run<double>({1}, {2, 3}, {0.5}, {Basis::laguerre, RationalForm::termwise}).slope[0] ==
        -3 + 2 * 0.5);
  // Whole sum, d_1 x + d_2 x² = 0 at 0: Q′ = +d_1.
  const RationalOptions whole{Basis::monomial, RationalForm::whole_sum};
  CHECK(run<float>({0}, {2, 3}, {-0.5, 1}, whole).slope[0] == 3 + 2 * 0.5);
  // A coefficient of exactly 0 learns as if it were positive: ∂G/∂d_1 = −|x| G = −2 · 1.
  CHECK(run<float>({2}, {1}, {0}, termwise).of_d[0] == -2);
  CHECK(run<float>({2}, {1}, {-0.0}, termwise).of_d[0] == -2);
  CHECK(run<float>({2}, {1}, {0}, whole).of_d[0] == -2);
}

TEST_CASE("NaN stays NaN, and infinite input gives no wrong number") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Result result = run<float>({1, nan, 2}, {0, 1}, {1}, {});
  CHECK(std::isnan(result.value[1]));
  CHECK(std::isfinite(result.value[0]));
  CHECK(std::isfinite(result.value[2]));
}

TEST_CASE("rational refuses what it cannot do") {
  const Tensor x = Tensor::ones({2, 6, 3}), c = Tensor::ones({6}), d = Tensor::ones({4});
  CHECK_THROWS_WITH_AS(rational(Tensor::arange(3), c, d),
                       "rational: expected float32 or float64, got int32", Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({10}), d),
                       "rational: degrees 9/4 are above the limit of 8/8", Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({0}), d),
                       "rational: the numerator has no coefficients", Error);
  CHECK_THROWS_WITH_AS(
      rational(x, Tensor::ones({4, 6}), Tensor::ones({4, 4})),
      "rational: the channels (axis 1) of [2, 6, 3] cannot be cut into 4 equal groups", Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({2, 6}), d),
                       "rational: numerator [2, 6] and denominator [4] have different numbers of "
                       "groups",
                       Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({6}, DType::float64), d),
                       "rational: the numerator must have x's dtype float32", Error);
  CHECK_THROWS_WITH_AS(
      rational_form_named("safe"),
      "unknown form \"safe\"; did you mean \"unsafe\"? There are: termwise, whole_sum, unsafe",
      Error);
  CHECK_THROWS_AS(basis_named("hermite"), Error);
}
