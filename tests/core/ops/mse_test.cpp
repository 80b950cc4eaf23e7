#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>

#include "tests/devices.h"

using namespace pade;

DEVICE_TEST_CASE("mse is the mean squared difference") {
  const Tensor a = Tensor::from<float>({1, 2, 3, 4}, {2, 2}).to(device);
  const Tensor b = Tensor::from<float>({1, 0, 6, 3}, {2, 2}).to(device);
  CHECK(mse(a, b).shape() == Shape{});
  CHECK(mse(a, b).device() == device);
  CHECK(mse(a, b).item() == 3.5);
  CHECK(mse(Tensor::scalar(3).to(device), Tensor::scalar(1).to(device)).item() == 4);
  CHECK(std::isnan(mse(Tensor::zeros({0}).to(device), Tensor::zeros({0}).to(device)).item()));

  Rng rng(1);
  const Tensor x = rng.normal({123, 457}, 0, 1), y = rng.normal({123, 457}, 0, 1);
  long double expected = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    const long double difference =
        x.data<float>()[i] - static_cast<long double>(y.data<float>()[i]);
    expected += difference * difference;
  }
  expected /= static_cast<long double>(x.size());
  CHECK(std::abs(mse(x.to(device), y.to(device)).item() - static_cast<double>(expected)) <= 1e-6);
}

DEVICE_TEST_CASE("mse has the gradients of central differences") {
  Rng rng(2);
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{5, 3}}) {
    const auto report = gradcheck([](const auto& in) { return mse(in[0], in[1]); },
                                  {rng.normal(shape, 0, 1, DType::float64).to(device),
                                   rng.normal(shape, 0, 1, DType::float64).to(device)});
    CHECK_MESSAGE(report.ok, report.message);
  }
}

TEST_CASE("mse refuses operands that do not match") {
  CHECK_THROWS_WITH_AS(mse(Tensor::ones({2, 3}), Tensor::ones({3})),
                       "mse: prediction [2, 3] and target [3] have different shapes", Error);
  CHECK_THROWS_WITH_AS(mse(Tensor::ones({3}), Tensor::arange(3)),
                       "mse: expected one dtype, got prediction float32 [3] and target int32 [3]",
                       Error);
  CHECK_THROWS_WITH_AS(mse(Tensor::ones({3}), Tensor()),
                       "mse: target is undefined; assign a tensor to it first", Error);
}

TEST_CASE("mse refuses operands on two devices [cuda]") {
  const Tensor here = Tensor::ones({2}), there = here.to(Device::cuda);
  CHECK_THROWS_WITH_AS(mse(here, there),
                       "mse: expected one device, got prediction on cpu and target on cuda", Error);
}
