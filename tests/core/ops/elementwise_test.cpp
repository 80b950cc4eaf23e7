#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/core/ops/edges.h"
#include "tests/devices.h"

using namespace pade;

namespace {

struct Case {
  const char* name;
  Tensor (*op)(const Tensor&);
  long double (*reference)(long double);
  double low, high;  // where it is smooth
};

const Case kCases[] = {
    {"exp", exp, std::exp, -3, 3},
    {"log", log, std::log, 0.1, 5},
    {"sqrt", sqrt, std::sqrt, 0.1, 5},
    {"abs, left", abs, std::fabs, -3, -0.1},
    {"abs, right", abs, std::fabs, 0.1, 3},
    {"power 2.5", [](const Tensor& x) { return power(x, 2.5); },
     [](long double x) { return std::pow(x, 2.5L); }, 0.1, 3},
    {"power 3 below 0", [](const Tensor& x) { return power(x, 3); },
     [](long double x) { return x * x * x; }, -3, 0},
    {"sin", sin, std::sin, -10, 10},
    {"sin of large angles", sin, std::sin, 100, 200},
    {"cos", cos, std::cos, -10, 10},
    {"cos of large angles", cos, std::cos, -200, -100},
    {"tanh", tanh, std::tanh, -3, 3},
    {"sigmoid", sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }, -8, 8},
    {"clamp inside", [](const Tensor& x) { return clamp(x, -1, 1); },
     [](long double x) { return x; }, -0.9, 0.9},
    {"clamp above", [](const Tensor& x) { return clamp(x, -1, 1); },
     [](long double) { return 1.0L; }, 1.1, 3},
    {"relu, left", relu, [](long double) { return 0.0L; }, -3, -0.1},
    {"relu, right", relu, [](long double x) { return x; }, 0.1, 3},
    {"leaky_relu, left", [](const Tensor& x) { return leaky_relu(x, 0.2); },
     [](long double x) { return 0.2L * x; }, -3, -0.1},
    {"leaky_relu, right", [](const Tensor& x) { return leaky_relu(x, 0.2); },
     [](long double x) { return x; }, 0.1, 3},
};

const Shape kShapes[] = {{}, {0}, {1}, {7}, {3, 5}, {2, 1, 4, 3}};

}  // namespace

DEVICE_TEST_CASE("unary ops have the values of a long double reference, in both precisions") {
  Rng rng(1);
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    for (const DType dtype : {DType::float32, DType::float64}) {
      const Tensor x = rng.uniform({40001}, c.low, c.high, dtype);  // several blocks
      const Tensor result = c.op(x.to(device));
      REQUIRE(result.dtype() == dtype);
      REQUIRE(result.device() == device);
      const Tensor y = result.to(Device::cpu);
      double worst = 0;
      for (int64_t i = 0; i < x.size(); ++i) {
        const double expected = static_cast<double>(c.reference(x.at({i})));
        const double error = std::abs(y.at({i}) - expected) / std::max(1.0, std::abs(expected));
        if (!(error <= worst)) worst = error;
      }
      CHECK(worst <= (dtype == DType::float32 ? 6e-7 : 1e-15));
    }
  }
}

DEVICE_TEST_CASE("unary ops have the gradients of central differences") {
  Rng rng(2);
  for (const Case& c : kCases)
    for (const Shape& shape : kShapes) {
      const auto report = gradcheck([&](const auto& in) { return c.op(in[0]); },
                                    {rng.uniform(shape, c.low, c.high, DType::float64).to(device)});
      CHECK_MESSAGE(report.ok, c.name, " ", to_string(shape), ": ", report.message);
    }
}

DEVICE_TEST_CASE("unary ops have the same gradients in float32") {
  Rng rng(4);
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const auto gradient = [&](const Tensor& at) {
      Tensor x = at.clone().requires_grad_();
      Tape tape;
      tape.backward(sum(c.op(x)));
      return x.grad().to(DType::float64).to_vector<double>();
    };
    const Tensor x = rng.uniform({1003}, c.low, c.high).to(device);
    const std::vector<double> narrow = gradient(x), wide = gradient(x.to(DType::float64));
    double worst = 0;
    for (size_t i = 0; i < wide.size(); ++i) {
      const double error = std::abs(narrow[i] - wide[i]) / std::max(1.0, std::abs(wide[i]));
      if (!(error <= worst)) worst = error;
    }
    CHECK(worst <= 1e-6);
  }
}

namespace {

using reference::Real;

/// An op with its value and its derivative everywhere.
struct WholeCase {
  const char* name;
  Tensor (*op)(const Tensor&);
  Real (*value)(Real);
  Real (*slope)(Real);
};

const WholeCase kWholeCases[] = {
    {"exp", exp, std::exp, std::exp},
    {"log", log, std::log, [](Real x) { return 1 / x; }},
    {"sqrt", sqrt, std::sqrt, [](Real x) { return 0.5L / std::fabs(std::sqrt(x)); }},
    {"abs", abs, std::fabs, [](Real x) { return std::isnan(x) ? x : Real((x > 0) - (x < 0)); }},
    {"power 3", [](const Tensor& x) { return power(x, 3); }, [](Real x) { return x * x * x; },
     [](Real x) { return 3 * x * x; }},
    {"power 0.5", [](const Tensor& x) { return power(x, 0.5); },
     [](Real x) { return std::pow(x, 0.5L); }, [](Real x) { return 0.5L * std::pow(x, -0.5L); }},
    {"power -1", [](const Tensor& x) { return power(x, -1); }, [](Real x) { return 1 / x; },
     [](Real x) { return -1 / (x * x); }},
    {"power 0", [](const Tensor& x) { return power(x, 0); }, [](Real) { return Real(1); },
     [](Real) { return Real(0); }},
    {"sin", sin, std::sin, std::cos},
    {"cos", cos, std::cos, [](Real x) { return -std::sin(x); }},
    {"tanh", tanh, std::tanh, [](Real x) { return 1 / (std::cosh(x) * std::cosh(x)); }},
    {"sigmoid", sigmoid, [](Real x) { return 1 / (1 + std::exp(-x)); },
     [](Real x) { return 1 / ((1 + std::exp(-x)) * (1 + std::exp(x))); }},
    {"clamp", [](const Tensor& x) { return clamp(x, -1, 1); },
     [](Real x) { return x < -1  ? -1
                         : x > 1 ? 1
                                 : x; },
     [](Real x) { return Real(!(x < -1 || x > 1)); }},  // of a NaN, which stays, 1
    {"relu", relu, [](Real x) { return x < 0 ? 0 : x; }, [](Real x) { return Real(x > 0); }},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.25); },
     [](Real x) { return x > 0 ? x : 0.25L * x; },
     [](Real x) { return std::isnan(x) ? x
                         : x > 0       ? 1
                                       : 0.25L; }},
};

template <class T>
void check_edges(Device device, double tolerance) {
  std::vector<double> points = reference::edges<T>();
  points.push_back(std::numeric_limits<double>::quiet_NaN());
  for (const WholeCase& c : kWholeCases) {
    CAPTURE(std::string(c.name));
    Tensor x = Tensor::from<double>(points, {static_cast<int64_t>(points.size())})
                   .to(dtype_of<T>())
                   .to(device)
                   .requires_grad_();
    Tape tape;
    const Tensor y = c.op(x);
    tape.backward(sum(y));
    const auto values = y.detach().to(DType::float64).to_vector<double>();
    const auto slopes = x.grad().to(DType::float64).to_vector<double>();
    for (size_t i = 0; i < points.size(); ++i) {
      CAPTURE(points[i]);
      CHECK(reference::is_near<T>(values[i], c.value(points[i]), tolerance, 0));
      CHECK(reference::is_near<T>(slopes[i], c.slope(points[i]), tolerance, 1));
    }
  }
}

}  // namespace

DEVICE_TEST_CASE("unary ops have their values and slopes at every edge") {
  check_edges<float>(device, 6e-7);
  check_edges<double>(device, 1e-15);
}

DEVICE_TEST_CASE("unary ops take views that begin anywhere") {
  const Tensor all = Rng(3).uniform({1003}, 0.5, 2).to(device);
  const Tensor view = all.slice(1, 1003);
  CHECK(exp(view).to_vector<float>() == exp(view.clone()).to_vector<float>());
}

DEVICE_TEST_CASE("unary ops at special points") {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor x =
        Tensor::from<double>({-inf, -1000, 0, 1000, inf, nan}, {6}).to(dtype).to(device);
    CHECK(sigmoid(x).at({0}) == 0);
    CHECK(sigmoid(x).at({1}) == 0);
    CHECK(sigmoid(x).at({2}) == 0.5);
    CHECK(sigmoid(x).at({4}) == 1);
    CHECK(log(x).at({2}) == -inf);
    CHECK(std::isnan(log(x).at({1})));
    CHECK(relu(x).at({4}) == inf);
    CHECK(exp(x).at({0}) == 0);
    CHECK(exp(x).at({1}) == 0);
    CHECK(exp(x).at({2}) == 1);
    CHECK(exp(x).at({3}) == inf);
    CHECK(tanh(x).at({1}) == -1);
    CHECK(tanh(x).at({4}) == 1);
    CHECK(leaky_relu(x).at({0}) == -inf);
    CHECK(clamp(x, -1, 1).at({0}) == -1);
    for (const Tensor& y : {exp(x), tanh(x), sigmoid(x), relu(x), leaky_relu(x), clamp(x, -1, 1)})
      CHECK(std::isnan(y.at({5})));
  }
}

TEST_CASE("unary ops refuse what they cannot do") {
  CHECK_THROWS_WITH_AS(exp(Tensor::arange(3)), "exp: expected float32 or float64, got int32",
                       Error);
  CHECK_THROWS_WITH_AS(clamp(Tensor::ones({2}), 2, 1), "clamp: low 2 is above high 1", Error);
  CHECK_THROWS_WITH_AS(relu(Tensor()), "relu: x is undefined; assign a tensor to it first", Error);
}
