// Trains small networks for three steps and prints a hash of all that they hold afterwards, one
// line each. Fails when the number of threads changes one. What rebuilds kernels compares the lines
// of before and after, on one machine: other processors round otherwise.

#include <bit>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/optim/adam.h>
#include <pade/optim/sgd.h>

#include "models/models.h"

using namespace pade;

namespace {

struct Case {
  const char *model, *activation;
  DType dtype = DType::float32;
  bool adam = false;
};

constexpr Case kCases[]{
    {"lenet", "relu"},
    {"lenet", "hp1"},
    {"lenet", "hp1", DType::float64},
    {"lenet", "hp2:form=whole_sum,groups=2", DType::float32, true},
    {"lenet", "prelu", DType::float64, true},
    {"preactresnet18", "relu"},
    {"preactresnet18", "hp1"},
    {"preactresnet18", "hp1", DType::float64},
    {"preactresnet18", "swish"},
    {"mobilenetv2", "relu"},
    {"mobilenetv2", "hp1"},
    {"efficientnet-b0", "swish"},
};

/// FNV-1a of the bytes of all of them.
uint64_t hash_of(const std::vector<std::pair<std::string, Tensor>>& state) {
  uint64_t hash = 14695981039346656037u;
  for (const auto& [name, tensor] : state)
    for (const double value : tensor.to(DType::float64).to_vector<double>()) {
      const auto bits = std::bit_cast<uint64_t>(value);
      for (int shift = 0; shift < 64; shift += 8)
        hash = (hash ^ ((bits >> shift) & 255)) * 1099511628211u;
    }
  return hash;
}

uint64_t train(const Case& c) {
  manual_seed(1);
  const auto width =
      std::string(c.model) == "preactresnet18" ? std::optional<int64_t>(8) : std::nullopt;
  Sequential network = models::make_model(c.model, c.activation, 10, width);
  network.to(c.dtype);
  const std::vector<Parameter> parameters = network.parameters();
  std::unique_ptr<Optimizer> optimizer;
  if (c.adam)
    optimizer = std::make_unique<Adam>(parameters, AdamOptions{.lr = 1e-3});
  else
    optimizer = std::make_unique<Sgd>(
        parameters, SgdOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 5e-4});
  Rng rng(2);
  for (int step = 0; step < 3; ++step) {
    const Tensor images = rng.normal({12, 3, 32, 32}, 0, 1, c.dtype);
    const Tensor labels = rng.integers({12}, 0, 10);
    Tape tape;
    tape.backward(cross_entropy(network(images), labels));
    optimizer->step();
  }
  return hash_of(network.state());
}

}  // namespace

int main() {
  bool same = true;
  try {
    for (const Case& c : kCases) {
      set_num_threads(1);
      const uint64_t hash = train(c);
      std::cout << std::hex << std::setw(16) << std::setfill('0') << hash << "  " << c.model << ' '
                << c.activation << ' ' << c.dtype << (c.adam ? " adam" : " sgd") << std::endl;
      for (const int threads : {2, 5}) {
        set_num_threads(threads);
        if (train(c) == hash) continue;
        std::cerr << "with " << threads << " threads it is another\n";
        same = false;
      }
    }
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return same ? 0 : 1;
}
