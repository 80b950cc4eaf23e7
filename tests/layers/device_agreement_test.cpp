#include <cmath>

#include <doctest/doctest.h>

#include <pade/core/ops/cross_entropy.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"
#include "tests/lenet.h"

using namespace pade;

namespace {

/// Ten training steps of LeNet on random images.
struct Training {
  std::vector<double> losses;
  std::vector<std::vector<float>> parameters;

  Training(const char* activation, Device device) {
    manual_seed(1);
    Sequential network = lenet(activation);
    network.to(device);
    Sgd optimizer(network.parameters(), {.lr = 0.02, .momentum = 0.9, .weight_decay = 5e-4});
    Rng rng(2);
    for (int step = 0; step < 10; ++step) {
      const Tensor images = rng.normal({4, 1, 28, 28}, 0, 1).to(device);
      const Tensor labels = rng.integers({4}, 0, 10).to(device);
      Tape tape;
      const Tensor loss = cross_entropy(network(images), labels);
      tape.backward(loss);
      optimizer.step();
      losses.push_back(loss.item());
    }
    for (const Parameter& parameter : network.parameters())
      parameters.push_back(parameter.tensor.to_vector<float>());
  }
};

}  // namespace

DEVICE_TEST_CASE("LeNet's first losses are those of the CPU, and every run has the same bits") {
  for (const char* activation : {"relu", "hp1"}) {
    CAPTURE(activation);
    const Training here(activation, Device::cpu), there(activation, device);
    for (size_t step = 0; step < here.losses.size(); ++step)
      CHECK(std::abs(there.losses[step] - here.losses[step]) <= 1e-4 * here.losses[step]);
    const Training again(activation, device);
    CHECK(again.losses == there.losses);
    CHECK(again.parameters == there.parameters);
  }
}
