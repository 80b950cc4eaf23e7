#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/ops/rational.h>
#include <pade/layers/rational.h>
#include <pade/layers/study/rational_fit.h>
#include <pade/layers/study/rational_regions.h>

using namespace pade;

namespace {

/// The root mean squared error of a preset over its fit's points, by the op that training uses.
double rms_through_op(const RationalPreset& preset) {
  const auto& [name, start, fit] = preset;
  std::vector<double> x, target;
  const auto leaky_relu = fit_target_named("leaky_relu");
  for (int i = 0; i < fit.points; ++i) {
    x.push_back(fit.low + (fit.high - fit.low) * i / (fit.points - 1));
    target.push_back(leaky_relu(x.back()));
  }
  auto column = [](const std::vector<double>& values) {
    return Tensor::from(values, {static_cast<int64_t>(values.size())});
  };
  const Tensor y = rational(column(x), column(start.c), column(start.d), start.options);
  double total = 0;
  for (int i = 0; i < fit.points; ++i) total += std::pow(y.at({i}) - target[i], 2);
  return std::sqrt(total / fit.points);
}

}  // namespace

TEST_CASE("presets are what a new fit finds, and the op evaluates them as the fit does") {
  for (const RationalPreset* preset : {&hp1_preset(), &hp2_preset(), &pau_preset()}) {
    CAPTURE(std::string(preset->name));
    const FitResult refit =
        fit_rational(fit_target_named("leaky_relu"), preset->start.options, 5, 4, preset->fit);
    for (size_t i = 0; i < 6; ++i)
      CHECK(refit.function.c[i] == doctest::Approx(preset->start.c[i]).epsilon(1e-3));
    for (size_t j = 0; j < 4; ++j)
      CHECK(refit.function.d[j] == doctest::Approx(preset->start.d[j]).epsilon(1e-3));
    CHECK(std::abs(rms_through_op(*preset) - refit.rms) <= 1e-7);
  }
}

// Root mean squared errors and largest errors of least-squares fits of degrees 5/4, computed by
// another program (SciPy) for the same forms, rounded up.
TEST_CASE("fits of Leaky ReLU are as close as they can be") {
  struct Case {
    Basis basis;
    RationalForm form;
    double half_width, rms, max_error;
  };
  for (const Case& c : {Case{Basis::monomial, RationalForm::termwise, 3, 5.1e-3, 0.030},
                        Case{Basis::hermite_he, RationalForm::termwise, 3, 2.1e-2, 0.084},
                        Case{Basis::hermite_h, RationalForm::termwise, 3, 1.5e-2, 0.070},
                        Case{Basis::chebyshev_t, RationalForm::termwise, 3, 1.54e-2, 0.070},
                        Case{Basis::chebyshev_u, RationalForm::termwise, 3, 1.01e-2, 0.054},
                        Case{Basis::laguerre, RationalForm::termwise, 3, 1.53e-2, 0.072},
                        Case{Basis::legendre, RationalForm::termwise, 3, 1.22e-2, 0.061},
                        Case{Basis::hermite_he, RationalForm::whole_sum, 3, 5.42e-3, 0.027},
                        Case{Basis::hermite_h, RationalForm::whole_sum, 3, 5.21e-3, 0.027},
                        Case{Basis::hermite_he, RationalForm::termwise, 5, 2.0e-2, 0.101},
                        Case{Basis::hermite_h, RationalForm::termwise, 5, 1.3e-2, 0.074},
                        Case{Basis::hermite_he, RationalForm::termwise, 10, 1.9e-2, 0.13}}) {
    CAPTURE(std::string(name_of(c.basis)));
    CAPTURE(std::string(name_of(c.form)));
    const FitResult fit = fit_rational(fit_target_named("leaky_relu"), {c.basis, c.form}, 5, 4,
                                       {-c.half_width, c.half_width});
    CHECK(fit.rms <= c.rms);
    CHECK(fit.max_error <= c.max_error);
  }
}

TEST_CASE("fits of Leaky ReLU go on outside as other programs' fits do") {
  const auto outside = [](Basis basis, double half_width, double far) {
    FitOptions options{-half_width, half_width};
    options.beyond = far - half_width;
    return fit_rational(fit_target_named("leaky_relu"), {basis, RationalForm::termwise}, 5, 4,
                        options);
  };
  const auto near = [](double value, double expected) { return std::abs(value - expected) < 0.06; };
  const FitResult pau = outside(Basis::monomial, 3, 10), hp1 = outside(Basis::hermite_he, 5, 20),
                  hp2 = outside(Basis::hermite_h, 5, 20);
  CHECK(near(pau.below, -2.7));
  CHECK(near(pau.above, 9.0));
  CHECK(near(hp1.below, -3.9));
  CHECK(near(hp1.above, 16.4));
  CHECK(near(hp2.below, -6.0));
  CHECK(near(hp2.above, 17.5));
  CHECK(near(pau.max_slope, 1.04));
}

// Coefficients that other programs found: SciPy, and for PAU those that its authors published.
TEST_CASE("fits are at least as close as known coefficients") {
  const auto he = RationalOptions{Basis::hermite_he, RationalForm::termwise};
  struct Case {
    RationalFunction known;
    double half_width;
  };
  for (const auto& [known, half_width] :
       {Case{{he,
              {9.5136771, 16.227043, 11.19557, 4.1233428, .72475532, .051460735},
              {13.164922, 3.6392129, .52887402, .083474244}},
             5},
        Case{{he,
              {1.134574, 1.7935227, 1.0990121, .32837744, .042540343, .0020733933},
              {1.080735, .30765766, .041455107, .0022287852}},
             10},
        Case{{{Basis::hermite_h, RationalForm::termwise},
              {2.9602761, 3.5226167, 1.6870423, .42551823, .050266878, .0023730349},
              {3.8903814, .74038043, .085462976, .0062888976}},
             5},
        Case{{{Basis::hermite_he, RationalForm::whole_sum},
              {1.3688055, 2.388551, 1.7267207, .68016193, .14044334, .012608797},
              {-1.6403326, -.39698738, -.20852086, -.0052003176}},
             5},
        Case{{{Basis::monomial, RationalForm::termwise},
              {.02979278, .61837353, 2.32330906, 3.05193624, 1.48542033, .25102450},
              {-1.14195484, 4.39315997, .87147123, .34719662}},
             3}}) {
    const auto leaky_relu = fit_target_named("leaky_relu");
    const FitOptions options{-half_width, half_width};
    double total = 0;
    for (int i = 0; i < options.points; ++i) {
      const double x = -half_width + 2 * half_width * i / (options.points - 1);
      total += std::pow(known(x) - leaky_relu(x), 2);
    }
    const double rms = std::sqrt(total / options.points);
    CHECK(fit_rational(leaky_relu, known.options, 5, 4, options).rms <= rms);
    CHECK(rms < 0.03);  // the coefficients are those of the form
  }
}

TEST_CASE("full_sum is at least as close as whole_sum and unsafe, which it holds") {
  const auto leaky_relu = fit_target_named("leaky_relu");
  const auto error = [&](Basis basis, RationalForm form, FitNorm norm) {
    FitOptions options;
    options.norm = norm;
    const bool largest = norm == FitNorm::max;
    const FitResult fit =
        fit_rational(leaky_relu, {basis, form}, largest ? 2 : 5, largest ? 1 : 4, options);
    return largest ? fit.max_error : fit.rms;
  };
  for (const auto& [basis, norm] :
       {std::pair{Basis::hermite_he, FitNorm::l2}, std::pair{Basis::laguerre, FitNorm::l2},
        std::pair{Basis::legendre, FitNorm::max}}) {
    CAPTURE(std::string(name_of(basis)));
    const double found = error(basis, RationalForm::full_sum, norm);
    const double whole = error(basis, RationalForm::whole_sum, norm);
    const double unsafe = error(basis, RationalForm::unsafe, norm);
    CHECK(found <= std::min(whole, unsafe) * (1 + 1e-12));
  }
}

TEST_CASE("a full_sum without kinks where it was fitted keeps away from them") {
  // Rounding chooses between d and −d, which are the same function. Swish's best fit has kinks, and
  // a function that is rational itself is fitted to the last digit with and without.
  for (const char* target : {"tanh", "sigmoid"}) {
    CAPTURE(std::string(target));
    const RationalFunction g =
        fit_rational(fit_target_named(target), {Basis::monomial, RationalForm::full_sum}, 3, 2)
            .function;
    double least = 10;
    for (double x = -3; x <= 3; x += 0.015) least = std::min(least, g.denominator(x));
    const auto kinks = kinks_of(g);
    REQUIRE(std::none_of(kinks.begin(), kinks.end(), [](double x) { return std::abs(x) <= 3; }));
    CHECK(least == doctest::Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("a full_sum with a kink is found again") {
  const RationalFunction truth{
      {Basis::monomial, RationalForm::full_sum}, {0.5, 1, 0.25}, {-0.5, 0.25}};  // a kink at 2
  const FitResult fit = fit_rational(truth, truth.options, 2, 1);
  CHECK(fit.max_error <= 1e-9);
  CHECK(fit_rational(truth, {Basis::monomial, RationalForm::unsafe}, 2, 1).max_error > 0.01);
}

TEST_CASE("a function of the form itself is found again") {
  const RationalFunction truth{
      {Basis::legendre, RationalForm::termwise}, {0.5, 1, 0.25, 0.5}, {0.25, 0.5}};
  const FitResult fit = fit_rational(truth, truth.options, 3, 2);
  CHECK(fit.max_error <= 1e-9);
}

TEST_CASE("polynomials and constants are fits too") {
  const auto square = [](double x) { return x * x; };
  CHECK(fit_rational(square, {Basis::hermite_he}, 2, 0).max_error <= 1e-12);
  const FitResult constant = fit_rational([](double) { return 3.0; }, {Basis::monomial}, 0, 0);
  CHECK(constant.function.c[0] == doctest::Approx(3));
  const FitResult full = fit_rational(square, {Basis::legendre, RationalForm::full_sum}, 2, 0);
  CHECK(full.max_error <= 1e-12);
  CHECK(full.function.d.size() == 1);
}

TEST_CASE("fit_rational refuses what it cannot fit") {
  const auto relu = fit_target_named("relu");
  CHECK_THROWS_WITH_AS(fit_rational(relu, {}, 9, 4),
                       "fit_rational: degrees 9/4 are outside 0/0 to 8/8", Error);
  CHECK_THROWS_WITH_AS(fit_rational(relu, {}, 5, 4, {3, -3}),
                       "fit_rational: the interval [3, -3] is empty", Error);
  CHECK_THROWS_WITH_AS(fit_rational(relu, {}, 5, 4, {-1, 1, 10}),
                       "fit_rational: 10 points for 10 coefficients", Error);
  CHECK_THROWS_WITH_AS(fit_rational([](double x) { return 1 / x; }, {}, 5, 4),
                       "fit_rational: the target is inf at 0", Error);
  CHECK_THROWS_AS(fit_target_named("gleu"), Error);
}
