#include <doctest/doctest.h>

#include <cmath>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/layers/dropout.h>

#include "tests/devices.h"

using namespace pade;

DEVICE_TEST_CASE("stochastic depth keeps or drops whole samples, and scales those that stay") {
  constexpr int64_t kSamples = 2000;
  constexpr double kProbability = 0.3;
  for (const Shape& shape : {Shape{kSamples, 2, 3, 1}, Shape{kSamples, 5}, Shape{kSamples}}) {
    manual_seed(1);
    StochasticDepth layer(kProbability);
    Rng words = *layer.generators().at(0).second;
    const Tensor x = Rng(2).uniform(shape, 1, 2, DType::float64);
    const Tensor y = layer(x.to(device)).to(Device::cpu);
    const int64_t row = shape.size_from(1);
    int64_t wrong = 0, kept = 0;
    for (int64_t n = 0; n < kSamples; ++n) {
      const bool keep = uniform_float(words.block_at(n / 4)[n % 4]) >= float(kProbability);
      kept += keep;
      for (int64_t i = n * row; i < (n + 1) * row; ++i)
        wrong +=
            y.data<double>()[i] != (keep ? x.data<double>()[i] * (1 / (1 - kProbability)) : 0.0);
    }
    CHECK(wrong == 0);
    CHECK(std::abs(kept - 0.7 * kSamples) <= 4 * std::sqrt(0.21 * kSamples));
  }
}

DEVICE_TEST_CASE("stochastic depth has the gradients of central differences") {
  const auto report = gradcheck(
      [](const std::vector<Tensor>& in) {
        manual_seed(3);  // the same mask each time
        return StochasticDepth(0.4)(in[0]);
      },
      {Rng(4).normal({9, 2, 3}, 0, 1, DType::float64).to(device)});
  CHECK_MESSAGE(report.ok, report.message);
}

TEST_CASE("stochastic depth does nothing in eval mode and for probability 0") {
  StochasticDepth layer(0.5), never(0);
  const Tensor x = Rng(5).normal({50, 3}, 0, 1);
  CHECK(layer(x).to_vector<float>() != x.to_vector<float>());
  CHECK(never(x).to_vector<float>() == x.to_vector<float>());
  const uint64_t drawn = layer.generators().at(0).second->counter();
  layer.eval();
  CHECK(layer(x).to_vector<float>() == x.to_vector<float>());
  CHECK(layer.generators().at(0).second->counter() == drawn);
}

TEST_CASE("every stochastic depth has a stream of its own, which the seed decides") {
  const Tensor x = Tensor::ones({64});
  manual_seed(6);
  StochasticDepth first(0.5), second(0.5);
  const auto a = first(x).to_vector<float>();
  CHECK(second(x).to_vector<float>() != a);
  CHECK(first(x).to_vector<float>() != a);
  manual_seed(6);
  StochasticDepth again(0.5);
  CHECK(again(x).to_vector<float>() == a);
}

TEST_CASE("stochastic depth refuses other probabilities, and inputs without samples") {
  CHECK_THROWS_WITH_AS(StochasticDepth(1.5),
                       "StochasticDepth: the probability must be in [0, 1], got 1.5", Error);
  CHECK_THROWS_AS(StochasticDepth(-0.1), Error);
  StochasticDepth layer(0.5);
  CHECK_THROWS_WITH_AS(layer(Tensor::scalar(1)), "StochasticDepth: expected [N, …], got a scalar",
                       Error);
}
