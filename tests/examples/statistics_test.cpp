#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <pade/core/error.h>

#include "compare/power.h"
#include "compare/statistics.h"
#include "compare/student_t.h"

using namespace pade;
using namespace pade::compare;

namespace {

doctest::Approx approx(double expected) { return doctest::Approx(expected).epsilon(1e-12); }

struct BetaValue {
  double a, b, x, value;
};

/// From mpmath 1.3 with 40 digits, betainc(a, b, 0, x, regularized=True).
const BetaValue kBetaValues[] = {
    {0.5, 0.5, 0.3, 0.36901011956554538276},    {2, 3, 0.4, 0.5248},
    {5, 0.5, 0.99, 0.7571581091015625},         {50, 30, 0.6, 0.3170571539691120514},
    {0.1, 10, 0.001, 0.6596666602208250254},    {200, 300, 0.41, 0.67762816477217934626},
    {0.5, 0.5, 1e-12, 6.3661977236768744637e-7}};

struct Probability {
  double t, freedom, p;
};

/// In the same way, by I_x(ν/2, 1/2) at x = ν/(ν + t²).
const Probability kProbabilities[] = {
    {0.1, 1, 0.93654896513889286097},     {1, 1, 0.5},
    {0.5, 2, 0.66666666666666666667},     {2.5, 3, 0.08770664700806554725},
    {30, 4, 7.3528560976613221245e-6},    {0.7, 7.5, 0.50505562187385045657},
    {5, 100, 2.450173413503800423e-6},    {40, 20, 1.4574696554310763877e-20},
    {3, 0.5, 0.3673081559859434482},      {2.04, 30, 0.050239574739086881555},
    {1.96, 1000, 0.050273184955748714276}};

struct Quantile {
  double confidence, freedom, t;
};

/// By bisection of these p-values with 40 digits.
const Quantile kQuantiles[] = {
    {0.95, 1, 12.706204736174704646},  {0.95, 2, 4.3026527297494638523},
    {0.95, 3, 3.1824463052837095927},  {0.95, 4, 2.7764451051977943578},
    {0.95, 29, 2.0452296421327042982}, {0.95, 1000, 1.962339080826408485},
    {0.99, 5, 4.0321429835552280784},  {0.5, 7, 0.71114177808178630563},
    {0.999, 2, 31.599054576443620733}};

}  // namespace

TEST_CASE("the regularised incomplete beta function has its known values and symmetry") {
  for (const BetaValue& known : kBetaValues) {
    CAPTURE(known.a);
    CAPTURE(known.b);
    CHECK(regularised_incomplete_beta(known.a, known.b, known.x) == approx(known.value));
    CHECK(regularised_incomplete_beta(known.b, known.a, 1 - known.x) ==
          doctest::Approx(1 - known.value).epsilon(1e-10));
  }
  for (double x : {0.0, 1e-9, 0.25, 0.5, 0.75, 1.0}) {  // closed forms
    CHECK(regularised_incomplete_beta(1, 1, x) == approx(x));
    CHECK(regularised_incomplete_beta(3, 1, x) == approx(x * x * x));
    CHECK(regularised_incomplete_beta(1, 2, x) == approx(x * (2 - x)));
  }
  CHECK_THROWS_AS(regularised_incomplete_beta(0, 1, 0.5), Error);
  CHECK_THROWS_AS(regularised_incomplete_beta(1, -1, 0.5), Error);
  CHECK_THROWS_AS(regularised_incomplete_beta(1, 1, 1.5), Error);
  CHECK_THROWS_AS(regularised_incomplete_beta(1, 1, std::nan("")), Error);
}

TEST_CASE("Student's t has its known p-values and quantiles") {
  for (const Probability& known : kProbabilities) {
    CAPTURE(known.t);
    CAPTURE(known.freedom);
    CHECK(std::fabs(two_sided_p(known.t, known.freedom) - known.p) <= 1e-11 * known.p);
    CHECK(two_sided_p(-known.t, known.freedom) == two_sided_p(known.t, known.freedom));
  }
  for (double t : {1e-9, 0.01, 0.9, 1.1, 20.0, 1e9})  // Cauchy's and the ν = 2 closed forms
    for (double sign : {-1.0, 1.0}) {
      CHECK(1 - two_sided_p(sign * t, 1) == doctest::Approx(2 / M_PI * std::atan(t)).epsilon(1e-7));
      CHECK(1 - two_sided_p(sign * t, 2) ==
            doctest::Approx(t / std::hypot(t, M_SQRT2)).epsilon(1e-7));
    }
  CHECK(two_sided_p(0, 3) == 1);
  CHECK(two_sided_p(std::numeric_limits<double>::infinity(), 3) == 0);
  for (const Quantile& known : kQuantiles) {
    CAPTURE(known.freedom);
    CHECK(t_quantile(known.confidence, known.freedom) == approx(known.t));
  }
  CHECK_THROWS_AS(two_sided_p(std::nan(""), 3), Error);
  CHECK_THROWS_AS(two_sided_p(1, 0), Error);
  CHECK_THROWS_AS(t_quantile(1, 3), Error);
  CHECK_THROWS_AS(t_quantile(0.95, 0), Error);
}

TEST_CASE("a sample has its mean, its deviation and an interval where there are two values") {
  const std::vector<double> values{0.9028, 0.9041, 0.9017, 0.9033, 0.9052};
  const Sample five = describe(values);
  CHECK(five.n == 5);
  CHECK(five.mean == approx(0.90342));
  CHECK(five.std.value() == approx(0.00132174127574196608));
  CHECK(five.half_width.value() == approx(0.00164115855702871406));
  const Sample one = describe(std::vector<double>{0.5});
  CHECK(one.n == 1);
  CHECK(one.mean == 0.5);
  CHECK(!one.std.has_value());
  CHECK(!one.half_width.has_value());
  CHECK(describe({}).n == 0);
  const Sample equal = describe(std::vector<double>{0.1, 0.1, 0.1});
  CHECK(equal.mean == 0.1);
  CHECK(equal.std.value() == 0);
}

TEST_CASE("the paired t test has the values of the formula in 30 digits") {
  const std::vector<double> baselines{0.9028, 0.9041, 0.9017, 0.9033, 0.9052};
  const std::vector<double> values{0.9078, 0.9060, 0.9101, 0.9089, 0.9049};
  const PairedDifference known = paired_difference(values, baselines);
  CHECK(known.n == 5);
  CHECK(known.mean == doctest::Approx(0.00412).epsilon(1e-10));
  CHECK(known.low.value() == doctest::Approx(-0.0000791380202950215242).epsilon(1e-10));
  CHECK(known.high.value() == doctest::Approx(0.00831913802029502152).epsilon(1e-10));
  CHECK(known.p.value() == doctest::Approx(0.0527620202746802893).epsilon(1e-10));

  const PairedDifference reversed = paired_difference(baselines, values);
  CHECK(reversed.mean == -known.mean);
  CHECK(reversed.p.value() == known.p.value());
  CHECK_THROWS_AS(paired_difference(values, std::vector<double>{1, 2}), Error);
}

TEST_CASE("differences without spread, and fewer than two, have neither interval nor p-value") {
  const auto has_none = [](const PairedDifference& difference) {
    return !difference.low && !difference.high && !difference.p;
  };
  CHECK(has_none(paired_difference({}, {})));
  const PairedDifference one =
      paired_difference(std::vector<double>{0.75}, std::vector<double>{0.5});
  CHECK(one.n == 1);
  CHECK(one.mean == 0.25);
  CHECK(has_none(one));
  // 0.2 − 0.1 and 0.9 − 0.8 are not the same double.
  const std::vector<double> values{0.2, 0.9}, baselines{0.1, 0.8};
  REQUIRE(values[0] - baselines[0] != values[1] - baselines[1]);
  const PairedDifference equal = paired_difference(values, baselines);
  CHECK(equal.mean == doctest::Approx(0.1));
  CHECK(has_none(equal));
  CHECK(has_none(paired_difference(values, values)));
}

TEST_CASE("Holm's correction multiplies, keeps the order and leaves gaps") {
  using Values = std::vector<std::optional<double>>;
  const Values corrected = holm({0.01, 0.04, 0.03, 0.005});  // worked by hand
  CHECK(corrected[0].value() == approx(0.03));
  CHECK(corrected[1].value() == approx(0.06));  // 0.04, raised to the one before
  CHECK(corrected[2].value() == approx(0.06));
  CHECK(corrected[3].value() == approx(0.02));
  const Values with_gap = holm({std::nullopt, 0.5, 0.02, 0.6});
  CHECK(!with_gap[0].has_value());
  CHECK(with_gap[2].value() == approx(0.06));
  CHECK(with_gap[1].value() == 1);
  CHECK(with_gap[3].value() == 1);
  CHECK(holm({}).empty());
  CHECK(holm({0.2})[0].value() == 0.2);
}

TEST_CASE("the power of the paired t test is SciPy's") {
  // SciPy 1.17: nct.sf(t, n−1, effect·√n) + nct.cdf(−t, n−1, effect·√n), t = t.ppf(.975, n−1).
  const struct {
    double effect;
    int n;
    double power;
  } kPowers[] = {{0.5, 5, 0.140516689990298},   {1, 2, 0.0928091550563361},
                 {1, 5, 0.401389917371795},     {2, 3, 0.470749431278435},
                 {0.1, 30, 0.0827260081988528}, {0.3, 100, 0.843947102737416},
                 {3, 2, 0.26077071422911},      {0.05, 1000, 0.352045012645621},
                 {1.5, 10, 0.98727691258454},   {0, 7, 0.05}};
  for (const auto& known : kPowers) {
    CAPTURE(known.effect);
    CHECK(std::fabs(paired_t_power(known.effect, known.n) - known.power) < 1e-8);
    CHECK(paired_t_power(-known.effect, known.n) == paired_t_power(known.effect, known.n));
  }
  CHECK_THROWS_WITH_AS(paired_t_power(1, 1),
                       "paired_t_power: expected at least 2 pairs and a finite effect, got 1 and 1",
                       Error);
}

TEST_CASE("seeds needed, and the difference that some seeds resolve") {
  // By the same power, searched for in SciPy.
  const std::pair<double, int> kNeeded[] = {{5, 3},     {2, 5},     {1, 10},     {0.5, 34},
                                            {0.2, 199}, {0.1, 787}, {0.05, 3142}};
  for (const auto& [effect, n] : kNeeded) {
    CHECK(pairs_needed(effect) == n);
    CHECK(pairs_needed(-effect) == n);
  }
  CHECK(pairs_needed(1e3) == 2);
  CHECK_FALSE(pairs_needed(0).has_value());
  CHECK_FALSE(pairs_needed(1e-4).has_value());
  const std::pair<int, double> kResolvable[] = {{2, 11.5498884359},
                                                {3, 3.2640435497},
                                                {5, 1.68199696596},
                                                {10, 0.996001371455},
                                                {30, 0.529235615113}};
  for (const auto& [n, effect] : kResolvable)
    CHECK(std::fabs(resolvable_effect(n) - effect) < 1e-7 * effect);

  const PairedDifference pairs =
      paired_difference(std::vector<double>{3, 4, 8}, std::vector<double>{1, 1, 4});
  CHECK(pairs.pairs_needed == pairs_needed(3));  // differences 2, 3, 4: mean 3, deviation 1
  CHECK(*pairs.resolvable == approx(resolvable_effect(3)));
  CHECK_FALSE(paired_difference(std::vector<double>{3}, std::vector<double>{1}).resolvable);
}
