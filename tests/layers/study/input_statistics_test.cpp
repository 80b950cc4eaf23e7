#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/layers/activation.h>
#include <pade/layers/flatten.h>
#include <pade/layers/linear.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>
#include <pade/layers/study/input_statistics.h>

#include "tests/devices.h"

using namespace pade;

namespace {

Sequential make_network() {
  return Sequential{named("first", Rational::hp1()), named("flatten", Flatten()),
                    named("relu", make_activation("relu")),
                    named("inner", Sequential{Linear(12, 5), Rational::pau()})};
}

std::vector<std::string> names_of(const InputStatistics& statistics) {
  std::vector<std::string> names;
  for (const auto& layer : statistics.layers()) names.push_back(layer.name);
  return names;
}

bool any_activation(const std::string&, Module& module) {
  return dynamic_cast<Activation*>(&module) != nullptr;
}

}  // namespace

TEST_CASE("modules are chosen by kind or by a function") {
  Sequential network = make_network();
  CHECK(names_of(InputStatistics(network)) == std::vector<std::string>{"first", "inner.1"});
  CHECK(names_of(InputStatistics(network, {.watch = any_activation})) ==
        std::vector<std::string>{"first", "relu", "inner.1"});
  CHECK(names_of(InputStatistics(network, {.watch = [](const std::string& path, Module&) {
                                   return path == "inner.0";
                                 }})) == std::vector<std::string>{"inner.0"});
}

DEVICE_TEST_CASE("inputs are collected in scope and nowhere else") {
  manual_seed(3);
  Sequential network = make_network();
  network.to(device);
  const Tensor x = Rng(4).normal({6, 3, 4}, 0.5, 1).to(device);
  InputStatistics statistics(network, {.watch = any_activation});
  network(x);
  CHECK(statistics.layers()[0].inputs.count() == 0);
  {
    const ForwardObserver collecting = statistics.collect();
    network(x);
    network(x);
  }
  network(x);
  CHECK(statistics.layers()[0].inputs.count() == 2 * 6 * 12);
  CHECK(statistics.layers()[1].inputs.count() == 2 * 6 * 12);
  CHECK(statistics.layers()[2].inputs.count() == 2 * 6 * 5);

  ValueDistribution expected;
  expected.add(x);
  expected.add(x);
  const ValueDistribution& first = statistics.layers()[0].inputs;
  CHECK(first.mean() == expected.mean());
  CHECK(first.variance() == expected.variance());
  CHECK(first.histogram().counts == expected.histogram().counts);

  statistics.clear();
  CHECK(statistics.layers()[0].inputs.count() == 0);
  CHECK(statistics.layers()[0].name == "first");
}

DEVICE_TEST_CASE("only the first samples of each call are looked at") {
  Sequential network = make_network();
  network.to(device);
  const Tensor x = Rng(4).normal({6, 3, 4}, 0, 1);
  ValueDistribution expected;
  expected.add(x.slice(0, 2));
  InputStatistics statistics(network, {.samples_per_call = 2});
  {
    const ForwardObserver collecting = statistics.collect();
    network(x.to(device));
  }
  CHECK(statistics.layers()[0].inputs.count() == 24);
  CHECK(statistics.layers()[0].inputs.mean() == expected.mean());
  CHECK(statistics.layers()[1].inputs.count() == 10);
  CHECK_THROWS_WITH_AS(InputStatistics(network, {.samples_per_call = -1}),
                       "InputStatistics: expected samples_per_call >= 0, got -1", Error);
}

TEST_CASE("collecting leaves a training step as it is") {
  auto gradient = [](bool collect) {
    manual_seed(3);
    Sequential network = make_network();
    InputStatistics statistics(network);
    Tape tape;
    Tensor y;
    if (collect) {
      const ForwardObserver collecting = statistics.collect();
      y = network(Rng(4).normal({6, 3, 4}, 0, 1));
    } else {
      y = network(Rng(4).normal({6, 3, 4}, 0, 1));
    }
    tape.backward(sum(y));
    return network.parameters().front().tensor.grad().to_vector<float>();
  };
  CHECK(gradient(true) == gradient(false));
}
