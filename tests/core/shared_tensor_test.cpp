// What several threads may do with one tensor (core/tensor.h). tests/threads builds this file with
// ThreadSanitizer, too.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/threads.h"

using namespace pade;
using pade::testing::at_once;

namespace {

using Floats = std::vector<float>;

constexpr int kThreads = 4, kRounds = 100;

Tensor normalised(const Tensor& x) { return batch_norm(x, {}, {}, {}, {}); }
Tensor make_x() { return Rng(1).normal({6, 4, 30, 30}, 1, 2); }

}  // namespace

TEST_CASE("several threads read one batch_norm, and compute from it") {
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
    shared.fill_(0);
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
