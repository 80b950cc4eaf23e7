#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <pade/layers/study/descent.h>

using namespace pade;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// a exp(b x) at x = 0 … 5 against 2 exp(−x/2), with a least b; a above 100 is not permitted.
class Decay : public ResidualProblem {
 public:
  explicit Decay(double least_b = -kInfinity) { lower_ = {-kInfinity, least_b}; }

  std::vector<double> residuals(const std::vector<double>& z) const override {
    if (z[0] > 100) return {kInfinity};
    std::vector<double> result;
    for (int x = 0; x <= 5; ++x)
      result.push_back(z[0] * std::exp(z[1] * x) - 2 * std::exp(-x / 2.));
    return result;
  }
  std::vector<double> jacobian(const std::vector<double>& z) const override {
    std::vector<double> columns;
    for (int x = 0; x <= 5; ++x) columns.push_back(std::exp(z[1] * x));
    for (int x = 0; x <= 5; ++x) columns.push_back(z[0] * x * std::exp(z[1] * x));
    return columns;
  }
};

}  // namespace

TEST_CASE("both descents find the function that the residuals are zero of") {
  for (const auto descend : {+[](const Decay& p) {
                               return descend_squares(p, {0.3, 0.4});
                             },
                             +[](const Decay& p) {
                               return descend_largest(p, {0.3, 0.4});
                             }}) {
    const DescentEnd end = descend(Decay());
    CHECK(end.z[0] == doctest::Approx(2).epsilon(1e-6));
    CHECK(end.z[1] == doctest::Approx(-0.5).epsilon(1e-6));
    CHECK(end.cost <= 1e-6);
  }
}

TEST_CASE("an unknown that would leave its bound stays there, and the others go on") {
  const Decay bounded(-0.2);
  const DescentEnd end = descend_squares(bounded, {1, 0.5});
  CHECK(end.z[1] == -0.2);
  // Then a is a linear least-squares problem: Σ f g / Σ f² with f = exp(−x/5) and g = 2 exp(−x/2).
  double fg = 0, ff = 0;
  for (int x = 0; x <= 5; ++x) {
    fg += 2 * std::exp(-0.7 * x);
    ff += std::exp(-0.4 * x);
  }
  CHECK(end.z[0] == doctest::Approx(fg / ff).epsilon(1e-6));
  CHECK(descend_largest(bounded, {1, 0.5}).z[1] == -0.2);
}

TEST_CASE("a descent ends where it starts if that is not permitted") {
  CHECK(descend_squares(Decay(), {200, 0}).z == std::vector<double>{200, 0});
  CHECK(descend_squares(Decay(), {200, 0}).cost == kInfinity);
}

TEST_CASE("a descent that asks for more per step ends earlier, and no lower") {
  const double cost = descend_squares(Decay(-0.2), {1, 0.5}).cost;
  CHECK(descend_squares(Decay(-0.2), {1, 0.5}, 0.5).cost >= cost);
}
