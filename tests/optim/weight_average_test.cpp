#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <pade/core/error.h>
#include <pade/optim/weight_average.h>

#include "tests/devices.h"

using namespace pade;

namespace {

Tensor row(const std::vector<double>& values, Device device) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())}).to(device).clone();
}

}  // namespace

TEST_CASE("an average is of tensors that share no memory") {
  const Tensor weight = row({1, -2}, Device::cpu);
  CHECK_THROWS_WITH_AS(WeightAverage({{"tied", weight}, {"first", weight.slice(0, 1)}}, 0.5),
                       "WeightAverage: \"tied\" and \"first\" share memory, which would be changed "
                       "twice; clone() one of them",
                       Error);
}

DEVICE_TEST_CASE("averages follow their definition, and start fast") {
  Tensor weight = row({1, -2}, device).requires_grad_();
  Tensor count = Tensor::zeros({1}, DType::int32).to(device).clone();
  WeightAverage average({{"weight", weight}, {"count", count}}, 0.5);
  std::vector<double> expected{1, -2};
  for (int t = 1; t <= 20; ++t) {
    const std::vector<double> now{1.0 + t, 3.0 * t};
    weight.detach().copy_(row(now, Device::cpu));
    count.fill_(t);
    average.update();
    const double decay = std::min(0.5, t / (t + 9.0));  // 0.5 from t = 9 on
    for (size_t i = 0; i < 2; ++i) expected[i] = decay * expected[i] + (1 - decay) * now[i];
  }
  const auto state = average.state();
  REQUIRE(state.size() == 3);
  CHECK(state[0].first == "updates");
  CHECK(state[0].second.item() == 20);
  CHECK(state[1].first == "average.weight");
  const auto values = state[1].second.to_vector<double>();
  for (size_t i = 0; i < 2; ++i) CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-14));
  CHECK(state[2].second.to_vector<int32_t>() == std::vector<int32_t>{20});
}

DEVICE_TEST_CASE("pull_back moves the average towards the network, and the network to it") {
  Tensor weight = row({1, -2}, device).requires_grad_();
  Tensor count = Tensor::zeros({1}, DType::int32).to(device).clone();
  WeightAverage average({{"weight", weight}, {"count", count}}, 0);
  weight.detach().copy_(row({2, 6}, Device::cpu));
  count.fill_(3);
  average.pull_back(0.75);
  CHECK(weight.to_vector<double>() == std::vector<double>{1.25, 0});
  CHECK(average.state()[1].second.to_vector<double>() == std::vector<double>{1.25, 0});
  CHECK(count.item() == 3);
  weight.detach().copy_(row({9, 9}, Device::cpu));
  average.pull_back(1);
  CHECK(weight.to_vector<double>() == std::vector<double>{1.25, 0});
  CHECK(weight.requires_grad());
  CHECK_THROWS_WITH_AS(average.pull_back(1.5),
                       "WeightAverage: expected a decay from 0 to 1, got 1.5", Error);
}

DEVICE_TEST_CASE("averages change places with the network and back") {
  const std::vector<double> first{0.1, 0.2}, second{0.3, 1e30};
  Tensor weight = row(first, device).requires_grad_();
  WeightAverage average({{"weight", weight}}, 0.9);
  weight.detach().copy_(row(second, Device::cpu));
  average.swap();
  CHECK(average.swapped());
  CHECK(weight.to_vector<double>() == first);
  CHECK(weight.requires_grad());
  CHECK_THROWS_WITH_AS(average.update(),
                       "WeightAverage: update() while the network holds the averages; swap() first",
                       Error);
  average.swap();
  CHECK(weight.to_vector<double>() == second);
  CHECK(average.state()[1].second.to_vector<double>() == first);
}

DEVICE_TEST_CASE("averages of tensors that the network has given up are refused") {
  Tensor weight = row({1, 2}, device);
  WeightAverage average({{"weight", weight}}, 0.9);
  average.update();
  weight = weight.to(DType::float32);  // as network.to(…) does
  const auto message =
      doctest::Contains("WeightAverage: the network does not hold this \"weight\" any more");
  CHECK_THROWS_WITH_AS(average.update(), message, Error);
  CHECK_THROWS_WITH_AS(average.swap(), message, Error);
  CHECK(average.state()[0].second.item() == 1);
}

TEST_CASE("averaging refuses decays that average nothing") {
  for (const double decay : {-0.1, 1.0, 2.0})
    CHECK_THROWS_AS(WeightAverage({{"w", Tensor::zeros({1}, DType::float32)}}, decay), Error);
}
