#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include <pade/core/ops/conv2d.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/sgd.h>

#include "models/efficientnet.h"
#include "models/preactresnet.h"
#include "tests/devices.h"
#include "tests/fixtures/fixture.h"

using namespace pade;

namespace {

/// What a step of training leaves: the loss, then gradients, parameters and running statistics.
struct Step {
  std::vector<std::pair<std::string, Tensor>> tensors;

  Step(Module& network, const Shape& images_shape, Device device) {
    network.to(device);
    const std::vector<Parameter> parameters = network.parameters();
    Sgd optimizer(parameters, {.lr = 0.05, .momentum = 0.9, .weight_decay = 5e-4});
    Rng rng(2);
    const Tensor images = rng.normal(images_shape, 0, 1).to(device);
    const Tensor labels = rng.integers({images_shape[0]}, 0, 10).to(device);
    Tape tape;
    const Tensor loss = cross_entropy(network(images), labels);
    tape.backward(loss);
    tensors.emplace_back("loss", loss.detach().reshape({1}));
    for (const Parameter& p : parameters) tensors.emplace_back(p.name + ".grad", p.tensor.grad());
    optimizer.step();
    for (const auto& state : network.state()) tensors.push_back(state);
  }
};

Step step_of_narrow_network(Device device, bool checkpoint) {
  manual_seed(1);
  Sequential network = models::preactresnet18("hp1", {.width = 8, .checkpoint = checkpoint});
  return Step(network, {4, 3, 16, 16}, device);
}

}  // namespace

DEVICE_TEST_CASE("a step of a narrow PreActResNet-18 is that of the CPU") {
  allow_winograd(false);  // which rounds more than any GPU
  const Step expected = step_of_narrow_network(Device::cpu, false);
  const Step ours = step_of_narrow_network(device, false);
  allow_winograd(true);
  REQUIRE(ours.tensors.size() == expected.tensors.size());
  for (size_t i = 0; i < expected.tensors.size(); ++i) {
    CAPTURE(expected.tensors[i].first);
    CHECK(relative_error(ours.tensors[i].second, expected.tensors[i].second) <= 1e-4);
  }
}

DEVICE_TEST_CASE("PreActResNet-18 learns the same bits when its stages are checkpoints") {
  const Step plain = step_of_narrow_network(device, false);
  const Step checkpointed = step_of_narrow_network(device, true);
  REQUIRE(plain.tensors.size() == checkpointed.tensors.size());
  for (size_t i = 0; i < plain.tensors.size(); ++i) {
    CHECK(plain.tensors[i].first == checkpointed.tensors[i].first);
    CHECK(plain.tensors[i].second.to_vector<float>() ==
          checkpointed.tensors[i].second.to_vector<float>());
  }
}

TEST_CASE("EfficientNet drops the deeper blocks more often, and none in eval mode") {
  manual_seed(1);
  Sequential network = models::efficientnet_b0("swish", {.dropout = 0, .drop_connect = 0.3});
  std::vector<std::string> drops;
  network.for_each_module([&](const std::string& path, Module& module) {
    if (path.ends_with(".drop")) drops.push_back(module.description());
  });
  REQUIRE(drops.size() == 16);
  CHECK(drops.front() == "StochasticDepth(0)");
  CHECK(drops[5] == "StochasticDepth(0.1)");
  CHECK(drops.back() == "StochasticDepth(0.3)");

  const Tensor images = Rng(3).normal({2, 3, 32, 32}, 0, 1);
  network.eval();
  CHECK(network(images).to_vector<float>() == network(images).to_vector<float>());
  network.train();
  std::vector<uint64_t> drawn;
  network(images);
  for (const auto& [name, rng] : network.generators())
    if (name.ends_with(".drop.rng") && rng->counter() > 0) drawn.push_back(rng->counter());
  // Nine of the sixteen blocks have a shortcut, and none of them is the first.
  CHECK(drawn == std::vector<uint64_t>(9, 1));
}
