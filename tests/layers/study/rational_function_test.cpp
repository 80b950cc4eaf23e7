#include <doctest/doctest.h>

#include <cmath>

#include <pade/layers/study/fit_target.h>
#include <pade/layers/study/rational_fit.h>
#include <pade/layers/study/rational_function.h>
#include <pade/layers/study/rational_regions.h>

using namespace pade;

TEST_CASE("the slope of a rational function is its derivative, in every basis and form") {
  for (const Basis basis : kAllBases)
    for (const auto form : {RationalForm::termwise, RationalForm::whole_sum, RationalForm::full_sum,
                            RationalForm::unsafe}) {
      CAPTURE(std::string(name_of(basis)));
      CAPTURE(std::string(name_of(form)));
      const RationalFunction g{
          {basis, form}, {0.3, -0.4, 0.5, 0.2, -0.1, 0.05}, {0.02, -0.03, 0.015, 0.002}};
      for (const double x : {-2.9, -1.2, -0.31, 0.2, 0.57, 1.31, 2.8}) {
        const double h = 1e-6, difference = (g(x + h) - g(x - h)) / (2 * h);
        CHECK(g.slope(x) == doctest::Approx(difference).epsilon(1e-7));
      }
    }
}

TEST_CASE("poles are the real roots of the denominator") {
  const RationalFunction g{{Basis::monomial, RationalForm::unsafe}, {1}, {0, -0.25}};  // 1 − x²/4
  const std::vector<double> poles = real_poles(g, -3, 5);
  REQUIRE(poles.size() == 2);
  CHECK(poles[0] == doctest::Approx(-2).epsilon(1e-11));
  CHECK(poles[1] == doctest::Approx(2).epsilon(1e-11));
  CHECK(real_poles(g, -1.9, 1.9).empty());
  RationalFunction safe = g;
  safe.options.form = RationalForm::whole_sum;
  CHECK(real_poles(safe, -3, 5).empty());
  CHECK(safe.denominator(4) == 5);  // 1 + |−16/4|
  const RationalFunction full{{Basis::monomial, RationalForm::full_sum}, {1}, {2, 0, -0.25}};
  CHECK(real_poles(full, -5, 5).empty());
  CHECK(full.denominator(4) == doctest::Approx(2.1));  // 1/10 + |2 − 16/4|
  CHECK(full.denominator_degree() == 2);
  CHECK(safe.denominator_degree() == 2);
}

TEST_CASE("an unsafe fit has its poles outside the interval") {
  const FitResult fit =
      fit_rational(fit_target_named("gelu"), {Basis::monomial, RationalForm::unsafe}, 5, 4);
  CHECK(real_poles(fit.function, -3, 3).empty());
  CHECK(real_poles(fit.function, -20, 20).size() == 2);
}
