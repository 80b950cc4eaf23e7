// Padé's side of compare_pytorch.py. Prints what it is as a line of JSON, then answers each line of
// stdin, a count, with the times of so many repetitions in milliseconds:
//
//   pade_bench lenet ACTIVATION THREADS BATCH    training steps: {"ms": […]}
//   pade_bench rational THREADS ELEMENTS         HP-1 forward and backward, and in turns with it
//   the
//                                                same bytes copied: {"ms": […], "copy_ms": […]}
#include <chrono>
#include <cstring>
#include <functional>
#include <iostream>
#include <string>

#include <pade/core/build_info.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/layers/rational.h>
#include <pade/optim/sgd.h>
#include <nlohmann/json.hpp>

#include "lenet.h"

using namespace pade;
using nlohmann::json;

namespace {

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

void answer_counts(const std::function<json(int count)>& answer) {
  const BuildInfo build = build_info();
  std::cout << json{{"version", build.version},
                    {"commit", build.commit},
                    {"compiler", build.compiler},
                    {"blas", build.blas}}
            << std::endl;
  for (int count; std::cin >> count;) std::cout << answer(count) << std::endl;
}

void lenet_steps(const std::string& activation, int64_t batch) {
  manual_seed(0);
  Sequential network = lenet(activation);
  Sgd optimizer(network.parameters(), {.lr = 0.01, .momentum = 0.9});
  Rng rng(0, "bench");
  const Tensor images = rng.normal({batch, 1, 28, 28}, 0, 1);
  const Tensor labels = rng.integers({batch}, 0, 10);
  answer_counts([&](int count) {
    json times = json::array();
    for (int i = 0; i < count; ++i)
      times.push_back(milliseconds([&] {
        Tape tape;
        tape.backward(cross_entropy(network(images), labels));
        optimizer.step();
      }));
    return json{{"ms", times}};
  });
}

/// A scalar through which `cotangent` comes back as the gradient of x, at no cost.
Tensor with_cotangent(const Tensor& x, const Tensor& cotangent) {
  Tensor loss = Tensor::scalar(0);
  record("with_cotangent", {&x}, loss, {&cotangent},
         [](Gradients& gradients) { gradients.set(0, gradients.saved(0)); });
  return loss;
}

/// Forward reads x and writes y; backward reads x and dy and writes dx: 20 bytes per element, so
/// copying moves 10 per element from one place to another.
void rational_and_copy(int64_t elements) {
  Rational activation = Rational::hp1();
  Rng rng(0, "bench");
  const Tensor x = rng.normal({elements}, 0, 1).requires_grad_();
  const Tensor cotangent = rng.normal({elements}, 0, 1);
  const Tensor source = Tensor::zeros({10 * elements}, DType::uint8);
  Tensor destination = Tensor::zeros({10 * elements}, DType::uint8);
  answer_counts([&](int count) {
    json times = json::array(), copy_times = json::array();
    for (int i = 0; i < count; ++i) {
      times.push_back(milliseconds([&] {
        Tape tape;
        tape.backward(with_cotangent(activation(x), cotangent));
      }));
      copy_times.push_back(milliseconds([&] {
        const uint8_t* from = source.data<uint8_t>();
        uint8_t* to = destination.mutable_data<uint8_t>();
        // One long run per thread: memcpy then streams past the caches.
        parallel_for(source.size(), blocks_of(source.size(), num_threads()),
                     [&](int64_t begin, int64_t end) {
                       std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
                     });
      }));
    }
    return json{{"ms", times}, {"copy_ms", copy_times}};
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "lenet" && argc == 5) {
    set_num_threads(std::stoi(argv[3]));
    lenet_steps(argv[2], std::stoll(argv[4]));
  } else if (mode == "rational" && argc == 4) {
    set_num_threads(std::stoi(argv[2]));
    rational_and_copy(std::stoll(argv[3]));
  } else {
    std::cerr << "usage: pade_bench lenet ACTIVATION THREADS BATCH | rational THREADS ELEMENTS\n";
    return 2;
  }
}
