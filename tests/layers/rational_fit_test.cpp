#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/layers/rational.h>
#include <pade/layers/rational_fit.h>

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
// another program (SciPy) for the same forms.
TEST_CASE("fits of Leaky ReLU are as close as they can be") {
  struct Case {
    Basis basis;
    RationalForm form;
    double half_width, rms, max_error;
  };
  for (const Case& c : {Case{Basis::monomial, RationalForm::termwise, 3, 5.1e-3, 0.031},
                        Case{Basis::hermite_he, RationalForm::termwise, 3, 2.1e-2, 0.085},
                        Case{Basis::hermite_h, RationalForm::termwise, 3, 1.5e-2, 0.070},
                        Case{Basis::chebyshev_t, RationalForm::termwise, 3, 1.55e-2, 0.071},
                        Case{Basis::chebyshev_u, RationalForm::termwise, 3, 1.05e-2, 0.055},
                        Case{Basis::laguerre, RationalForm::termwise, 3, 1.55e-2, 0.073},
                        Case{Basis::legendre, RationalForm::termwise, 3, 1.25e-2, 0.061},
                        Case{Basis::hermite_he, RationalForm::whole_sum, 3, 5.5e-3, 0.029},
                        Case{Basis::hermite_h, RationalForm::whole_sum, 3, 5.3e-3, 0.029},
                        Case{Basis::hermite_he, RationalForm::termwise, 10, 1.9e-2, 0.13}}) {
    CAPTURE(std::string(name_of(c.basis)));
    CAPTURE(std::string(name_of(c.form)));
    const FitResult fit = fit_rational(fit_target_named("leaky_relu"), {c.basis, c.form}, 5, 4,
                                       {-c.half_width, c.half_width});
    CHECK(fit.rms <= c.rms);
    CHECK(fit.max_error <= c.max_error);
  }
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
  CHECK_THROWS_WITH_AS(
      fit_target_named("gleu"),
      "unknown function to start from \"gleu\"; did you mean \"gelu\"? There are: gelu, identity, "
      "leaky_relu, relu, sigmoid, swish, tanh",
      Error);
}
