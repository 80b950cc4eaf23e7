#include <doctest/doctest.h>

#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/storage.h>
#include <pade/core/tape.h>
#include <pade/optim/sgd.h>

#include "models/models.h"

using namespace pade;

TEST_CASE("training steps of whole networks, after the second, ask the system for no memory") {
  const int threads = num_threads();
  set_num_threads(1);  // with more, scratch depends on how many blocks happen to run at once
  for (const char* model : {"lenet", "preactresnet18", "mobilenetv2", "efficientnet-b0"})
    for (const char* activation : {"relu", "hp1"}) {
      CAPTURE(std::string(model));
      CAPTURE(std::string(activation));
      manual_seed(1);
      Sequential network = models::make_model(model, activation, 10);
      Sgd optimizer(network.parameters(), {.lr = 0.01, .momentum = 0.9});
      const Tensor images = Rng(2).normal({2, 3, 32, 32}, 0, 1);
      const Tensor labels = Rng(3).integers({2}, 0, 10);
      const auto step = [&] {
        Tape tape;
        tape.backward(cross_entropy(network(images), labels));
        optimizer.step();
      };
      step();
      step();
      const AllocatorStats before = allocator_stats();
      for (int further = 0; further < 2; ++further) {
        step();
        CHECK(allocator_stats().system_allocations == before.system_allocations);
        CHECK(allocator_stats().bytes_in_use == before.bytes_in_use);
      }
      release_cached_memory();  // so that each network has to find its own
    }
  set_num_threads(threads);
}
