#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <pade/core/kernels/cpu/simd_math.h>

using namespace pade;
using namespace pade::float_lanes;

namespace {

struct Case {
  const char* name;
  FloatLanes (*lanes)(FloatLanes);
  double (*reference)(double);
  float low, high;
  double tolerance;  ///< relative
};

// In units of 6e-8, the rounding of float32.
const Case kCases[] = {
    {"exp", exp, std::exp, -87, 88, 1.5e-7},
    {"expm1", expm1, std::expm1, -20, 20, 2.5e-7},
    {"log", log, std::log, 1e-30f, 1e30f, 1.5e-7},
    {"log near 1", log, std::log, 0.6f, 1.6f, 1.5e-7},
    {"log1p", log1p, std::log1p, -0.9f, 3, 2.5e-7},
    {"log1p near 0", log1p, std::log1p, -1e-3f, 1e-3f, 1.5e-7},
    {"sqrt", sqrt, std::sqrt, 0, 1e30f, 6.1e-8},
    {"tanh", tanh, std::tanh, -12, 12, 2e-7},
    {"tanh near 0", tanh, std::tanh, -0.7f, 0.7f, 2e-7},
    {"erf", erf, std::erf, -4, 4, 2e-7},
    {"erfc", erfc, std::erfc, -4, 9, 1e-6},
};

std::vector<float> applied(FloatLanes (*f)(FloatLanes), std::vector<float> x) {
  x.resize((x.size() + kLaneCount<float> - 1) / kLaneCount<float> * kLaneCount<float>);
  for (size_t i = 0; i < x.size(); i += kLaneCount<float>)
    store_lanes<float>(&x[i], f(FloatLanes(load_lanes(&x[i]))).lanes);
  return x;
}

}  // namespace

TEST_CASE("functions of lanes have the values of float64, to a few roundings") {
  constexpr int kPoints = 100000;
  for (const Case& c : kCases) {
    CAPTURE(std::string(c.name));
    std::vector<float> x;
    for (int i = 0; i <= kPoints; ++i)
      x.push_back(c.low + (c.high - c.low) * static_cast<float>(i) / kPoints);
    const std::vector<float> y = applied(c.lanes, x);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = c.reference(x[i]);
      const double error = std::abs(y[i] - expected) / std::max(std::abs(expected), 1e-30);
      if (!(error <= worst)) worst = error;
    }
    CHECK(worst <= c.tolerance);
  }
}

TEST_CASE("functions of lanes take and give subnormal numbers") {
  constexpr float kTiniest = std::numeric_limits<float>::denorm_min();
  constexpr float kNormal = std::numeric_limits<float>::min();
  const Case cases[] = {{"exp", exp, std::exp, -104, -87, 1.5e-7},
                        {"erfc", erfc, std::erfc, 9, 11, 1e-6},
                        {"log", log, std::log, kTiniest, kNormal, 1.5e-7},
                        {"log1p", log1p, std::log1p, -kNormal, kNormal, 0},
                        {"expm1", expm1, std::expm1, -kNormal, kNormal, 0},
                        {"sqrt", sqrt, std::sqrt, kTiniest, kNormal, 6.1e-8},
                        {"tanh", tanh, std::tanh, -kNormal, kNormal, 0},
                        {"erf", erf, std::erf, -kNormal, kNormal, 0}};
  for (const Case& c : cases) {
    CAPTURE(std::string(c.name));
    std::vector<float> x = {c.low, c.high, 3 * kTiniest, 1e-41f};
    for (int i = 0; i <= 1000; ++i)
      x.push_back(c.low + (c.high - c.low) * static_cast<float>(i) / 1000);
    const std::vector<float> y = applied(c.lanes, x);
    for (size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      const double expected = c.reference(x[i]);
      CHECK(std::abs(y[i] - expected) <= c.tolerance * std::abs(expected) + double{kTiniest});
    }
  }
}

TEST_CASE("functions of lanes at special points") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(applied(exp, {-inf, -200, 0, 89, inf})[0] == 0);
  CHECK(applied(exp, {-inf, -200, 0, 89, inf})[1] == 0);
  CHECK(applied(exp, {-inf, -200, 0, 89, inf})[2] == 1);
  CHECK(applied(exp, {-inf, -200, 0, 89, inf})[3] == inf);
  CHECK(applied(exp, {-inf, -200, 0, 89, inf})[4] == inf);
  CHECK(applied(log, {0, 1, inf})[0] == -inf);
  CHECK(applied(log, {0, 1, inf})[1] == 0);
  CHECK(applied(log, {0, 1, inf})[2] == inf);
  CHECK(std::isnan(applied(log, {-1})[0]));
  CHECK(applied(tanh, {-inf, -0.0f, inf})[0] == -1);
  CHECK(std::signbit(applied(tanh, {-inf, -0.0f, inf})[1]));
  CHECK(applied(tanh, {-inf, -0.0f, inf})[2] == 1);
  CHECK(applied(erfc, {-inf, 0, inf})[0] == 2);
  CHECK(applied(erfc, {-inf, 0, inf})[1] == 1);
  CHECK(applied(erfc, {-inf, 0, inf})[2] == 0);
  CHECK(applied(log, {-0.0f})[0] == -inf);
  CHECK(std::isnan(applied(log, {-1e-45f})[0]));
  CHECK(applied(log1p, {-1, inf})[0] == -inf);
  CHECK(applied(log1p, {-1, inf})[1] == inf);
  CHECK(std::isnan(applied(log1p, {-2})[0]));
  CHECK(applied(expm1, {-inf, inf})[0] == -1);
  CHECK(applied(expm1, {-inf, inf})[1] == inf);
  CHECK(applied(sqrt, {inf})[0] == inf);
  CHECK(std::isnan(applied(sqrt, {-1})[0]));
  CHECK(applied(erf, {-inf, inf})[0] == -1);
  CHECK(applied(erf, {-inf, inf})[1] == 1);
  for (const Case& c : kCases) CHECK(std::isnan(applied(c.lanes, {nan})[0]));
}
