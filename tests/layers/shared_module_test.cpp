// What several threads may do with one network (layers/module.h). tests/threads builds this file
// with ThreadSanitizer, too.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pade/core/random.h>
#include <pade/core/scope.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/dropout.h>
#include <pade/layers/rational.h>
#include <pade/layers/sequential.h>

#include "tests/threads.h"

using namespace pade;
using pade::testing::at_once;

namespace {

constexpr int kThreads = 4;

constexpr const char* kName = "a name that is not a short string";

/// Counts calls under another path than its name's.
struct Witness : Module {
  std::atomic<int> misnamed = 0;
  std::string description() const override { return "Witness"; }

 protected:
  Tensor forward(const Tensor& x) override {
    misnamed += Scope::path() != kName;
    return x;
  }
};

/// Counts how often it is looked through. Each time takes until all threads have asked.
struct LookedThrough : Module {
  Witness child;
  std::atomic<int> asking = 0, looks = 0;

  std::string description() const override { return "LookedThrough"; }
  void visit(ModuleVisitor& visitor) override {
    while (asking < kThreads) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ++looks;
    visitor.child(kName, child);
  }

 protected:
  Tensor forward(const Tensor& x) override { return child(x); }
};

Sequential make_network(const char* keys) {
  manual_seed(5);
  Rational activation = Rational::hp1();
  if (*keys) activation.keep_zero_centred();
  Sequential network{named("a normalisation with a long name", BatchNorm2d(3)),
                     named("an activation with a long name", std::move(activation)), Dropout(0.5),
                     named("another normalisation with a long name", BatchNorm2d(3))};
  network.eval();
  for (Parameter& parameter : network.parameters())  // as an optimiser changes them
    parameter.tensor.detach().add_(Rng(1, parameter.name).normal(parameter.tensor.shape(), 0, 0.1));
  return network;
}

}  // namespace

TEST_CASE("the first call gives names once, however many threads make it together") {
  LookedThrough network;
  const Tensor x = Tensor::ones({1});
  at_once(kThreads, [&](int) {
    ++network.asking;
    network(x);
  });
  CHECK(network.looks.load() == 1);
  CHECK(network.child.misnamed.load() == 0);
}

TEST_CASE("several threads call one network in eval mode, from the first call on") {
  const Tensor x = Rng(2).normal({2, 3, 20, 20}, 0, 1);
  for (const char* keys : {"", "zero_centred"}) {
    CAPTURE(keys);
    const std::vector<float> expected = make_network(keys)(x).to_vector<float>();
    std::atomic<int> wrong = 0;
    for (int round = 0; round < 100; ++round) {
      Sequential network = make_network(keys);
      std::vector<std::vector<float>> outputs(kThreads);
      at_once(kThreads, [&](int thread) {
        outputs[thread] = network(x).to_vector<float>();
        wrong += network(x).to_vector<float>() != outputs[thread];
      });
      for (const auto& output : outputs) wrong += output != expected;
    }
    CHECK(wrong.load() == 0);
  }
}
