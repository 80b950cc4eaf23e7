#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/optim/clip.h>

#include "tests/devices.h"

using namespace pade;

namespace {

Parameter make_parameter(const char* name, const std::vector<double>& gradient, DType dtype,
                         Device device = Device::cpu) {
  const Shape shape{static_cast<int64_t>(gradient.size())};
  Parameter parameter{name, Tensor::zeros(shape, dtype, device).requires_grad_()};
  parameter.tensor.set_grad(Tensor::from(gradient, shape).to(dtype).to(device).clone());
  return parameter;
}

std::vector<double> gradient_of(const Parameter& parameter) {
  return parameter.tensor.grad().to(DType::float64).to_vector<double>();
}

}  // namespace

DEVICE_TEST_CASE("clipping scales all gradients together, down only") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    // 2² + 3² + 6² = 7², in parameters of both precisions.
    const std::vector<Parameter> parameters{make_parameter("a", {2, 3}, dtype, device),
                                            make_parameter("b", {6}, DType::float64, device),
                                            make_parameter("empty", {}, dtype, device)};
    for (const double above : {7.01, 10.0, std::numeric_limits<double>::infinity()})
      CHECK(clip_grad_norm(parameters, above) == 7);
    CHECK(gradient_of(parameters[0]) == std::vector<double>{2, 3});

    CHECK(clip_grad_norm(parameters, 3.5) == 7);
    const double factor = 3.5 / (7 + 1e-6);
    const double tolerance = dtype == DType::float32 ? 3e-7 : 1e-15;
    CHECK(std::abs(gradient_of(parameters[0])[0] - 2 * factor) <= tolerance);
    CHECK(std::abs(gradient_of(parameters[0])[1] - 3 * factor) <= tolerance);
    CHECK(std::abs(gradient_of(parameters[1])[0] - 6 * factor) <= 1e-15);
    CHECK(std::abs(grad_norm(parameters) - 3.5) <= 1e-6);
    CHECK(parameters[0].tensor.has_fresh_grad());
  }
}

DEVICE_TEST_CASE("gradients that were used up, or never came, do not count") {
  Parameter used = make_parameter("used", {4}, DType::float64, device);
  const Parameter fresh = make_parameter("fresh", {3}, DType::float64, device);
  const Parameter never{"never", Tensor::zeros({2}).requires_grad_()};
  const Parameter frozen{"frozen", Tensor::zeros({2})};
  CHECK(grad_norm({used, fresh, never, frozen}) == 5);
  used.tensor.mark_grad_used();
  CHECK(clip_grad_norm({used, fresh, never, frozen}, 1) == 3);
  CHECK(gradient_of(used)[0] == 4);
  CHECK(gradient_of(fresh)[0] == doctest::Approx(1));
  CHECK(grad_norm({}) == 0);
  CHECK_THROWS_WITH_AS(grad_norm({never, used}),
                       doctest::Contains("grad_norm: none of the 2 parameters has a gradient that "
                                         "step() has not used"),
                       Error);
  CHECK_THROWS_WITH_AS(clip_grad_norm({used}, 1),
                       doctest::Contains("clip_grad_norm: none of the 1 parameters"), Error);
  CHECK(gradient_of(used)[0] == 4);
}

DEVICE_TEST_CASE("gradients of coefficients neither count for clipping nor change") {
  const Parameter weight = make_parameter("weight", {3, 4}, DType::float32, device);
  Parameter coefficient = make_parameter("coefficient", {1e6, -1}, DType::float64, device);
  coefficient.role = ParameterRole::activation;
  CHECK(grad_norm({coefficient, weight}) == doctest::Approx(1e6));
  CHECK(clip_grad_norm({coefficient, weight}, 5.01) == 5);
  CHECK(gradient_of(weight) == std::vector<double>{3, 4});
  CHECK(clip_grad_norm({coefficient, weight}, 1) == 5);
  CHECK(gradient_of(weight)[1] == doctest::Approx(0.8));
  CHECK(gradient_of(coefficient) == std::vector<double>{1e6, -1});
  CHECK(clip_grad_norm({coefficient}, 1) == 0);

  Parameter infinite = make_parameter("infinite", {-HUGE_VAL, 1}, DType::float32, device);
  infinite.role = ParameterRole::activation;
  CHECK(!std::isfinite(clip_grad_norm({weight, infinite}, 0.1)));
  CHECK(gradient_of(weight)[1] == doctest::Approx(0.8));
}

DEVICE_TEST_CASE(
    "a norm that is not a finite number is returned, and the gradients are left as they are") {
  const double inf = std::numeric_limits<double>::infinity();
  const Parameter infinite = make_parameter("infinite", {-inf, 1}, DType::float32, device);
  const Parameter broken = make_parameter("broken", {std::nan(""), 1}, DType::float32, device);
  const Parameter ordinary = make_parameter("ordinary", {5}, DType::float32, device);
  CHECK(clip_grad_norm({infinite, ordinary}, 1) == inf);
  CHECK(gradient_of(infinite) == std::vector<double>{-inf, 1});
  CHECK(std::isnan(clip_grad_norm({broken, ordinary, infinite}, 1)));
  CHECK(gradient_of(ordinary)[0] == 5);
}

DEVICE_TEST_CASE(
    "the norm is summed in float64: large float32 gradients do not overflow, small ones add") {
  CHECK(grad_norm({make_parameter("large", {3e30, 4e30}, DType::float32, device)}) ==
        doctest::Approx(5e30));
  std::vector<double> many(1 << 16, 1e-4);
  many[0] = 1;
  const double exact = std::sqrt(1 + 65535e-8);
  CHECK(std::abs(grad_norm({make_parameter("many", many, DType::float32, device)}) - exact) <=
        1e-9);
}

DEVICE_TEST_CASE("a gradient of two parameters is not scaled twice") {
  Parameter a = make_parameter("a", {3, 4}, DType::float32, device);
  Parameter b = make_parameter("b", {0, 0}, DType::float32, device);
  b.tensor.set_grad(a.tensor.grad());
  CHECK(clip_grad_norm({a, b}, 8) == doctest::Approx(std::sqrt(50)));  // nothing is scaled
  CHECK_THROWS_WITH_AS(clip_grad_norm({a, b}, 1),
                       "clip_grad_norm: \"gradient of a\" and \"gradient of b\" share memory, "
                       "which would be changed twice; clone() one of them",
                       Error);
  CHECK(gradient_of(a) == std::vector<double>{3, 4});
}

/// Gradients of both precisions and many sizes, more of them than one launch of the GPU takes;
/// views that begin anywhere.
std::vector<Parameter> many_parameters(Device device) {
  constexpr int64_t kSize = 24000;
  const Tensor values[] = {Tensor::zeros({kSize}, DType::float64, device),
                           Tensor::zeros({kSize}, DType::float32, device)};
  const Tensor slopes[] = {Rng(2).normal({kSize}, 0, 1, DType::float64).to(device),
                           Rng(3).normal({kSize}, 0, 1, DType::float32).to(device)};
  std::vector<Parameter> parameters;
  int64_t begin = 0;
  for (int64_t i = 0; i < 200; ++i) {
    const int64_t size = i == 77 ? 9001 : i == 78 ? 4096 : i * 7 % 50;
    const int k = i % 4 == 0 ? 0 : 1;
    Parameter parameter{std::to_string(i),
                        values[k].slice(begin, begin + size).detach().requires_grad_()};
    parameter.tensor.set_grad(slopes[k].slice(begin, begin + size));
    parameters.push_back(parameter);
    begin += size;
  }
  return parameters;
}

DEVICE_TEST_CASE("the norm of many gradients, and each of them clipped") {
  const std::vector<Parameter> parameters = many_parameters(device);
  std::vector<std::vector<double>> before;
  long double sum = 0;
  for (const Parameter& parameter : parameters) {
    before.push_back(gradient_of(parameter));
    for (const long double x : before.back()) sum += x * x;
  }
  const double expected = static_cast<double>(std::sqrt(sum));
  const double norm = grad_norm(parameters);
  CHECK(std::abs(norm - expected) <= 1e-13 * expected);
  CHECK(grad_norm(parameters) == norm);
  CHECK(grad_norm(many_parameters(device)) == norm);

  CHECK(clip_grad_norm(parameters, 1) == norm);
  const double factor = 1 / (norm + 1e-6);
  int64_t wrong = 0;
  for (size_t k = 0; k < parameters.size(); ++k) {
    const std::vector<double> clipped = gradient_of(parameters[k]);
    for (size_t i = 0; i < clipped.size(); ++i)
      wrong += parameters[k].tensor.dtype() == DType::float64
                   ? clipped[i] != before[k][i] * factor
                   : clipped[i] != static_cast<float>(before[k][i]) * static_cast<float>(factor);
  }
  CHECK(wrong == 0);
}

TEST_CASE("gradients on several devices have no norm [cuda]") {
  const std::vector<Parameter> parameters{make_parameter("a", {1}, DType::float32, Device::cpu),
                                          make_parameter("b", {2}, DType::float32, Device::cuda)};
  const auto message = doctest::Contains(
      "grad_norm: expected all parameters on one device, got \"a\" on cpu and \"b\" on cuda");
  CHECK_THROWS_WITH_AS(grad_norm(parameters), message, Error);
  CHECK_THROWS_WITH_AS(clip_grad_norm(parameters, 1), message, Error);
  CHECK(gradient_of(parameters[0])[0] == 1);
}

TEST_CASE("the norm has the same bits for any number of threads") {
  const int threads = num_threads();
  std::vector<double> norms;
  std::vector<std::vector<double>> clipped;
  for (const int count : {1, 2}) {
    set_num_threads(count);
    const auto gradient = Rng(1).normal({100003}, 0, 1, DType::float64).to_vector<double>();
    const Parameter parameter = make_parameter("p", gradient, DType::float32);
    norms.push_back(clip_grad_norm({parameter}, 2));
    clipped.push_back(gradient_of(parameter));
  }
  set_num_threads(threads);
  CHECK(norms[0] == norms[1]);
  CHECK(clipped[0] == clipped[1]);
  CHECK(std::abs(norms[0] - std::sqrt(100003)) <= 5 * std::sqrt(0.5));  // χ, five deviations
}

TEST_CASE("clipping to nothing is refused") {
  const Parameter parameter = make_parameter("p", {1}, DType::float32);
  CHECK_THROWS_WITH_AS(clip_grad_norm({parameter}, 0),
                       "clip_grad_norm: the largest norm must be above 0, got 0", Error);
  CHECK_THROWS_AS(clip_grad_norm({parameter}, -1), Error);
  CHECK_THROWS_AS(clip_grad_norm({parameter}, std::nan("")), Error);
}
