// One step of training in which an allocation fails: the first, then the second, and so on, alone
// or with all that come after it. Each must end in an Error that speaks of memory, or be made up
// for, and the step must then give the bits that it gives where nothing fails.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/tape.h>
#include <pade/data/dataset.h>
#include <pade/data/loader.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/checkpoint.h>
#include <pade/optim/clip.h>
#include <pade/optim/sgd.h>

#include "tests/lenet.h"

using namespace pade;

namespace {

constexpr int64_t kNever = int64_t{1} << 62;

std::atomic<int64_t> until_failure = kNever;
std::atomic<bool> goes_on = false, has_failed = false;

/// Counts the allocations of all threads.
bool fails() {
  const int64_t left = until_failure.fetch_sub(1, std::memory_order_relaxed);
  const bool fails = left == 0 || (left < 0 && goes_on);
  if (fails) has_failed = true;
  return fails;
}

/// Allocation number `n` fails while one of these is in scope; those after it do where `all` do.
class Failure {
 public:
  Failure(int64_t n, bool all) {
    goes_on = all;
    has_failed = false;
    until_failure = n;
  }
  ~Failure() { until_failure = kNever; }
};

}  // namespace

void* operator new(size_t bytes) {
  void* block = fails() ? nullptr : std::malloc(std::max<size_t>(bytes, 1));
  return block ? block : throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }

/// What tensors are made of.
extern "C" void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  return fails() ? nullptr : memalign(alignment, bytes);
}

namespace {

class Images : public data::Dataset {
 public:
  Images() : Dataset({"images", {1, 28, 28}, 10, {0.5}, {0.25}}) {}
  int64_t size() const override { return 4; }
  int32_t read(int64_t index, uint8_t* pixels) const override {
    for (int i = 0; i < 28 * 28; ++i) pixels[i] = static_cast<uint8_t>(i * (index + 3) % 251);
    return static_cast<int32_t>(index);
  }
};

/// In eval mode, as calls in train mode change running statistics, which a failure leaves so.
Sequential with_batch_norm() {
  Sequential network{Conv2d(1, 4, {.kernel = 3}),
                     BatchNorm2d(4),
                     make_activation("hp1"),
                     CheckpointedSequential{Conv2d(4, 4, {.kernel = 3}), BatchNorm2d(4),
                                            make_activation("relu"), BatchNorm2d(4)},
                     GlobalAvgPool2d(),
                     Flatten(),
                     Linear(4, 10)};
  network.eval();
  return network;
}

struct Training {
  explicit Training(Sequential made) : network(std::move(made)) {}

  Images images;
  Sequential network;
  std::vector<Parameter> parameters = network.parameters();
  Sgd optimizer{parameters, {.lr = 0.05, .momentum = 0.9}};
  data::Loader loader{images, {.batch_size = 2, .seed = 1, .limit = 2}};

  void step() {
    loader.set_epoch(0);
    for (const auto& [pixels, labels] : loader) {
      Tape tape;
      const Tensor loss = cross_entropy(network(pixels), labels);
      tape.backward(loss);
      clip_grad_norm(parameters, 0.5);
      optimizer.step();
    }
  }

  /// All that training changes.
  std::vector<Tensor> state() {
    std::vector<Tensor> tensors;
    for (const auto& [name, tensor] : network.state()) tensors.push_back(tensor);
    for (const auto& [name, tensor] : optimizer.state()) tensors.push_back(tensor);
    return tensors;
  }
};

std::vector<Tensor> copy_of(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> copies;
  for (const Tensor& tensor : tensors) copies.push_back(tensor.detach().clone());
  return copies;
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(a[i].storage()->data(), b[i].storage()->data(), a[i].bytes()) != 0)
      return false;
  return true;
}

/// The number of allocations of a step, each of which failed as it should.
int64_t try_all(Training& training, bool all) {
  std::vector<Tensor> state = training.state();
  const std::vector<Tensor> before = copy_of(state);
  const auto restart = [&] {
    for (size_t i = 0; i < state.size(); ++i) state[i].detach().copy_(before[i]);
    release_cached_memory();  // so that tensors ask for memory again
  };
  training.step();
  const std::vector<Tensor> expected = copy_of(state);
  for (int64_t n = 0;; ++n) {
    restart();
    std::string message;
    try {
      const Failure failure(n, all);
      training.step();
    } catch (const Error& error) {
      message = error.what();
    } catch (const std::exception& error) {
      fail("allocation ", n, " failed, and what came out was ", error.what());
    }
    if (!message.empty()) {
      check(message.find("out of memory on cpu") != std::string::npos, "allocation ", n,
            " failed, and the message was: ", message);
      check(same_bits(state, before), "allocation ", n, " failed, and the step was half done");
      training.step();
    }
    check(same_bits(state, expected), "allocation ", n,
          " failed, and the next step gave other bits");
    if (!has_failed) return n;
  }
}

}  // namespace

int main() {
  try {
    set_num_threads(3);
    manual_seed(3);
    for (auto make : {+[] { return lenet("hp1"); }, &with_batch_norm}) {
      Training training(make());
      for (const bool all : {false, true}) {
        const int64_t count = try_all(training, all);
        std::cout << count << " allocations failed" << (all ? " with all after them" : "") << '\n';
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "training_step: " << error.what() << '\n';
    return 1;
  }
}
