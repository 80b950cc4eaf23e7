#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include <pade/core/error.h>
#include <pade/layers/study/rational_fit.h>

using namespace pade;

namespace {

const RationalOptions kHp1{Basis::hermite_he, RationalForm::termwise};
const auto kLeakyRelu = fit_target_named("leaky_relu");

using Function = std::function<double(double)>;

/// Σ w (G − t)² + slope_share w (G′ − t′)² over the points of a fit with defaults.
double objective(const RationalFunction& g, const Function& t, const Function& w,
                 double slope_share = 0, const Function& dt = {}) {
  double total = 0;
  for (int i = 0; i <= 400; ++i) {
    const double x = -3 + 6.0 * i / 400;
    total += w(x) * std::pow(g(x) - t(x), 2);
    if (slope_share > 0) total += slope_share * w(x) * std::pow(g.slope(x) - dt(x), 2);
  }
  return total;
}

/// Whether no coefficient can be changed a little so that `cost` falls by more than rounding.
bool is_minimum(const RationalFunction& g,
                const std::function<double(const RationalFunction&)>& cost) {
  const double least = cost(g) * (1 - 1e-10);
  for (const double factor : {1 - 1e-3, 1 - 1e-4, 1 + 1e-4, 1 + 1e-3})
    for (size_t i = 0; i < g.c.size() + g.d.size(); ++i) {
      RationalFunction moved = g;
      (i < g.c.size() ? moved.c[i] : moved.d[i - g.c.size()]) *= factor;
      if (cost(moved) < least) return false;
    }
  return true;
}

const Function kOne = [](double) { return 1.0; };

}  // namespace

TEST_CASE("a weighted fit is best under its weight, and a factor does not matter") {
  FitOptions options;
  options.weight = normal_density(1);
  const FitResult normal = fit_rational(kLeakyRelu, kHp1, 5, 4, options);
  const FitResult uniform = fit_rational(kLeakyRelu, kHp1, 5, 4);
  const auto by_normal = [&](const RationalFunction& g) {
    return objective(g, kLeakyRelu, options.weight);
  };
  const auto by_one = [](const RationalFunction& g) { return objective(g, kLeakyRelu, kOne); };
  CHECK(is_minimum(normal.function, by_normal));
  CHECK(is_minimum(uniform.function, by_one));
  CHECK_FALSE(is_minimum(uniform.function, by_normal));
  CHECK_FALSE(is_minimum(normal.function, by_one));
  CHECK(by_normal(normal.function) < by_normal(uniform.function));
  CHECK(by_one(uniform.function) < by_one(normal.function));
  options.weight = [](double) { return 7.0; };
  CHECK(fit_rational(kLeakyRelu, kHp1, 5, 4, options).rms == doctest::Approx(uniform.rms));
}

TEST_CASE("normal_density integrates to 1 and falls by e^(−1/2) at sigma") {
  const auto density = normal_density(0.5, 1);
  double total = 0;
  for (int i = -4000; i <= 4000; ++i) total += density(1 + i * 1e-3) * 1e-3;
  CHECK(total == doctest::Approx(1));
  CHECK(density(1.5) / density(1) == doctest::Approx(std::exp(-0.5)));
}

// Leaky ReLU is 0.505 x + 0.495 |x|, and the best approximation of |x| on [−1, 1] by rational
// functions of type (4, 4) errs by 8.5014…e-3 (R. S. Varga, A. Ruttan, A. J. Carpenter, Math. USSR
// Sbornik 74, 1993); times x, and plus a line, it is of type (5, 4).
TEST_CASE("the unsafe fit of the largest error is the known best approximation of |x|") {
  FitOptions options{-3, 3, 4001};
  options.norm = FitNorm::max;
  const FitResult fit =
      fit_rational(kLeakyRelu, {Basis::chebyshev_t, RationalForm::unsafe}, 5, 4, options);
  CHECK(fit.max_error == doctest::Approx(3 * 0.495 * 8.5014e-3).epsilon(1e-3));
  CHECK(fit.extrema == 11);
}

TEST_CASE("fits of the largest error equioscillate and beat least squares") {
  FitOptions least, largest;
  largest.norm = FitNorm::max;
  for (const char* target : {"leaky_relu", "gelu", "swish"})
    for (const RationalOptions form : {RationalOptions{Basis::monomial, RationalForm::unsafe},
                                       RationalOptions{Basis::monomial, RationalForm::whole_sum},
                                       RationalOptions{Basis::laguerre, RationalForm::unsafe}}) {
      CAPTURE(std::string(target));
      CAPTURE(std::string(name_of(form.form)));
      const auto f = fit_target_named(target);
      const FitResult by_squares = fit_rational(f, form, 5, 4, least);
      const FitResult fit = fit_rational(f, form, 5, 4, largest);
      CHECK(fit.max_error < 0.6 * by_squares.max_error);
      CHECK(fit.rms > by_squares.rms);
      CHECK(fit.extrema >= 11);
      CHECK(by_squares.extrema <= 3);
    }
  // Here the bounds d_j >= 0 hold two terms at 0, and take as many extrema away.
  CHECK(fit_rational(kLeakyRelu, kHp1, 5, 4, largest).extrema >= 9);
}

TEST_CASE("a fit of slopes too is best in both, with a given derivative or without") {
  const auto gelu = fit_target_named("gelu");
  const Function slope = [](double x) {
    return std::erfc(-x / std::sqrt(2.0)) / 2 + x * normal_density(1)(x);
  };
  FitOptions options;
  const FitResult values = fit_rational(gelu, kHp1, 5, 4, options);
  options.derivative_weight = 0.5;
  const FitResult both = fit_rational(FitTarget(gelu, slope), kHp1, 5, 4, options);
  const FitResult differences = fit_rational(gelu, kHp1, 5, 4, options);
  const auto by_both = [&](const RationalFunction& g) {
    return objective(g, gelu, kOne, 0.5, slope);
  };
  CHECK(is_minimum(both.function, by_both));
  CHECK_FALSE(is_minimum(values.function, by_both));
  CHECK(by_both(both.function) < by_both(values.function));
  CHECK(both.rms > values.rms);
  CHECK(differences.rms == doctest::Approx(both.rms).epsilon(1e-5));
}

TEST_CASE("a floor under the leading coefficient keeps growth outside sane") {
  FitOptions options;
  options.beyond = 17;
  const FitResult free = fit_rational(kLeakyRelu, kHp1, 5, 4, options);
  CHECK(free.function.d[2] <= 1e-6);
  CHECK(free.function.d[3] <= 1e-6);
  CHECK(free.below > 300);
  options.leading_floor = 0.2;
  const FitResult kept = fit_rational(kLeakyRelu, kHp1, 5, 4, options);
  const auto& d = kept.function.d;
  CHECK(d[3] * 81 >= 0.2 * (1 + 3 * d[0] + 9 * d[1] + 27 * d[2]) * (1 - 1e-12));
  CHECK(std::abs(kept.below) < 20);
  CHECK(std::abs(kept.above) < 20);
  CHECK(std::abs(kept.function(2e3) / kept.function(1e3) - 2) < 0.1);  // like a line
  CHECK(kept.rms < 0.03);
  // Where the best fit has such a share anyway, it stays the best.
  const RationalOptions pau{Basis::monomial, RationalForm::termwise};
  CHECK(fit_rational(kLeakyRelu, pau, 5, 4, options).rms ==
        doctest::Approx(fit_rational(kLeakyRelu, pau, 5, 4).rms).epsilon(1e-9));
}

TEST_CASE("the result says where the error is and what is outside") {
  FitOptions options{-1, 2, 4};
  options.beyond = 3;
  const FitResult fit = fit_rational([](double x) { return x == 0 ? 4.0 : 0.0; },
                                     {Basis::monomial, RationalForm::termwise}, 1, 0, options);
  // The line through (−1, 0), (0, 4), (1, 0), (2, 0): 1.2 − 0.4 x.
  CHECK(fit.max_error == doctest::Approx(2.8));
  CHECK(fit.max_error_at == 0);
  CHECK(fit.extrema == 1);
  CHECK(fit.below == doctest::Approx(2.8));
  CHECK(fit.above == doctest::Approx(-0.8));
  CHECK(fit.max_slope == doctest::Approx(0.4));
}

TEST_CASE("options that make no sense are refused") {
  const auto refused = [](auto change, const char* message) {
    FitOptions options;
    change(options);
    CHECK_THROWS_WITH_AS(fit_rational(kLeakyRelu, kHp1, 5, 4, options), message, Error);
  };
  refused([](FitOptions& o) { o.weight = [](double) { return 0.0; }; },
          "fit_rational: the weight is 0 everywhere");
  refused([](FitOptions& o) { o.weight = [](double x) { return x; }; },
          "fit_rational: the weight is -3 at -3");
  refused([](FitOptions& o) { o.derivative_weight = -1; },
          "fit_rational: derivative_weight is at least 0 and finite, got -1");
  refused([](FitOptions& o) { o.leading_floor = INFINITY; },
          "fit_rational: leading_floor is at least 0 and finite, got inf");
  refused([](FitOptions& o) { o.norm = FitNorm::max, o.derivative_weight = 1; },
          "fit_rational: the largest error has no weights; leave weight and derivative_weight out");
  CHECK_THROWS_WITH_AS(normal_density(0), "normal_density: sigma is above 0 and finite, got 0",
                       Error);
}
