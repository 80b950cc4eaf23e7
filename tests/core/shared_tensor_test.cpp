// What several threads may do with one tensor (core/tensor.h). tests/threads builds this file with
// ThreadSanitizer, too.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/ops/unary.h>
#include <pade/core/random.h>
#include <pade/core/storage.h>
#include <pade/core/tape.h>

#include "tests/threads.h"

using namespace pade;
using pade::testing::at_once;

namespace {

using Floats = std::vector<float>;

constexpr int kThreads = 4, kRounds = 100;

Tensor normalised(const Tensor& x) { return batch_norm(x, {}, {}, {}, {}); }
Tensor make_x() { return Rng(1).normal({6, 4, 30, 30}, 1, 2); }

/// Ones, and a count of how often they were computed. It gives others time to ask for them.
struct CountedOnes : Promise {
  CountedOnes(std::atomic<int>& asking, std::atomic<int>& computed)
      : asking(asking), computed(computed) {}
  std::shared_ptr<Storage> fulfil() override {
    while (asking < kThreads) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ++computed;
    return Tensor::ones({1000}).storage();
  }
  std::atomic<int>&asking, &computed;
};

}  // namespace

TEST_CASE("what is promised is computed once, whoever asks for it together") {
  std::atomic<int> asking = 0, computed = 0;
  const Tensor ones = Tensor::promised({1000}, DType::float32, Device::cpu,
                                       std::make_unique<CountedOnes>(asking, computed));
  std::vector<Floats> read(kThreads);
  at_once(kThreads, [&](int thread) {
    ++asking;
    read[thread] = ones.to_vector<float>();
  });
  CHECK(computed.load() == 1);
  for (const Floats& values : read) CHECK(values == Floats(1000, 1));
}

TEST_CASE("several threads read one batch_norm, and use it in ops that take its place") {
  const Tensor x = make_x();
  const Floats expected = normalised(x).to_vector<float>();
  const Floats positive = relu(Tensor::from(expected, x.shape())).to_vector<float>();
  int wrong = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Tensor z = normalised(x);
    std::vector<Floats> read(kThreads);
    at_once(kThreads, [&](int thread) {
      const bool whole = thread % 2 == 0;
      read[thread] = (whole ? z : relu(z)).to_vector<float>();
    });
    for (int thread = 0; thread < kThreads; ++thread)
      wrong += read[thread] != (thread % 2 == 0 ? expected : positive);
  }
  CHECK(wrong == 0);
}

TEST_CASE("a batch_norm is what it was, while another thread changes what it is made from") {
  const Tensor original = make_x();
  const Floats expected = normalised(original).to_vector<float>();
  const Floats positive = relu(Tensor::from(expected, original.shape())).to_vector<float>();
  int wrong = 0;
  for (int round = 0; round < kRounds; ++round) {
    Tensor x = original.clone();
    const Tensor z = normalised(x);
    Floats read, read_positive;
    at_once(3, [&](int thread) {
      if (thread == 0) x.fill_(7);
      if (thread == 1) read = z.to_vector<float>();
      if (thread == 2) read_positive = relu(z).to_vector<float>();
    });
    wrong += read != expected || read_positive != positive;
  }
  CHECK(wrong == 0);
}

TEST_CASE("several threads compute from one tensor, each under its tape") {
  const Tensor x = make_x();
  const Floats values = x.to_vector<float>(), expected = normalised(x).to_vector<float>();
  int wrong = 0;
  for (int round = 0; round < kRounds; ++round) {
    Tensor shared = x.clone();
    std::vector<Tensor> results(kThreads);
    std::vector<Floats> gradients(kThreads);
    at_once(kThreads, [&](int thread) {
      Tensor mine = shared.detach();
      mine.requires_grad_();
      Tape tape;
      results[thread] = normalised(mine);
      tape.backward(sum(relu(shared.detach() * mine)));
      gradients[thread] = mine.grad().to_vector<float>();
    });
    shared.fill_(0);  // what was not computed yet is computed now
    for (int thread = 0; thread < kThreads; ++thread)
      wrong += results[thread].to_vector<float>() != expected || gradients[thread] != values;
  }
  CHECK(wrong == 0);
}

TEST_CASE("several threads change rows of one tensor") {
  for (int round = 0; round < kRounds; ++round) {
    Tensor x = Tensor::zeros({kThreads, 5000});
    at_once(kThreads, [&](int thread) { x.slice(thread, thread + 1).fill_(thread); });
    REQUIRE(x.version() == kThreads + 1);
    for (int thread = 0; thread < kThreads; ++thread) REQUIRE(x.at({thread, 4999}) == thread);
  }
}
