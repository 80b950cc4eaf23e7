#include <algorithm>

#include <doctest/doctest.h>

#include <pade/core/ops/cross_entropy.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"
#include "tests/fixtures/fixture.h"
#include "tests/lenet.h"

using namespace pade;

namespace {

/// The fixture's parameters, the activations' from where the results are.
Sequential start_network(const std::string& activation, const Fixture& start,
                         const Fixture& results, DType dtype) {
  Sequential network = lenet(activation);
  network.to(dtype);
  for (auto& [name, tensor] : network.state())
    tensor.copy_((start.has(name) ? start : results).at(name).to(dtype));
  return network;
}

/// Its logits, loss and gradients, and the losses of its steps, beside PyTorch's.
void check_lenet(Device device, DType dtype) {
  const Fixture start("lenet");
  for (const std::string activation : {"relu", "hp1"}) {
    CAPTURE(activation);
    CAPTURE(dtype);
    const Fixture results("lenet_" + activation);
    Sequential network = start_network(activation, start, results, dtype);
    network.to(device);
    const Tensor images = start.at("images").to(dtype).to(device);
    const Tensor labels = start.at("labels").to(device);
    auto groups = default_groups(network.parameters(), 0.02, 5e-4, 0.02);
    for (ParameterGroup& group : groups) group.rule = UpdateRule::own;  // as the fixture has it
    Sgd optimizer(groups, {.momentum = 0.9});

    const double tolerance = parity_tolerance(dtype);
    std::vector<double> losses;
    for (int64_t step = 0; step < results.at("losses").size(); ++step) {
      Tape tape;
      const Tensor logits = network(images);
      const Tensor loss = cross_entropy(logits, labels);
      tape.backward(loss);
      losses.push_back(loss.item());
      if (step == 0) {
        CHECK(relative_error(logits, results.at("logits")) <= tolerance);
        for (const Parameter& p : network.parameters()) {
          CAPTURE(p.name);
          const std::string name = p.name + ".grad";
          // The fixture has them rounded to float32. Where a sum cancels so much that PyTorch's
          // own float32 run is off by more than the tolerance, ours may be off by twice that.
          const double allowed =
              dtype == DType::float64
                  ? 1e-7
                  : std::max(tolerance, 2 * results.at("float32_error." + name).item());
          CHECK(relative_error(p.tensor.grad(), results.at(name)) <= allowed);
        }
      }
      optimizer.step();
    }
    const Tensor all_losses = Tensor::from(losses, {static_cast<int64_t>(losses.size())});
    CHECK(relative_error(all_losses, results.at("losses")) <= tolerance);
    if (dtype == DType::float32)
      CHECK(relative_error(all_losses, results.at("float32.losses")) <= tolerance);
  }
}

}  // namespace

DEVICE_TEST_CASE("LeNet has PyTorch's logits, gradients and losses of steps, in float32") {
  check_lenet(device, DType::float32);
}

DEVICE_TEST_CASE("LeNet has PyTorch's logits, gradients and losses of steps, in float64") {
  check_lenet(device, DType::float64);
}
