#include <doctest/doctest.h>

#include <cstdlib>

#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/sgd.h>

#include "tests/devices.h"
#include "tests/lenet.h"

using namespace pade;

DEVICE_TEST_CASE("a training step after the first asks the system for no memory") {
  if (device == Device::cuda && std::getenv("PADE_NO_CUDA_CACHE")) return;
  const int threads = num_threads();
  set_num_threads(1);  // with more, scratch depends on how many blocks happen to run at once
  manual_seed(1);
  Sequential network = lenet("hp1");
  network.to(device);
  Sgd optimizer(network.parameters(), {.lr = 0.01, .momentum = 0.9});
  const Tensor images = Rng(2).normal({8, 1, 28, 28}, 0, 1).to(device);
  const Tensor labels = Rng(3).integers({8}, 0, 10).to(device);
  uint64_t allocations = 0;
  size_t in_use = 0;
  for (int step = 0; step < 4; ++step) {
    {
      Tape tape;
      tape.backward(cross_entropy(network(images), labels));
      optimizer.step();
    }
    const AllocatorStats stats = allocator_stats(device);
    if (step >= 1) {
      CHECK(stats.system_allocations == allocations);
      CHECK(stats.bytes_in_use == in_use);
    }
    allocations = stats.system_allocations;
    in_use = stats.bytes_in_use;
  }
  set_num_threads(threads);
}
