// How long a training step takes on several ranks, and how much of it is spent on waiting for the
// others and for messages, which are sent while backward() goes on or after it, in turns:
//   mpirun -n 2 pade_ranks_bench MODEL ACTIVATION BATCH STEPS
// BATCH counts the images of all ranks. Rank 0 prints medians over the steps, as CSV.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <pade/core/distributed/communicator.h>
#include <pade/core/error.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/layers/data_parallel.h>
#include <pade/optim/sgd.h>

#include "models/models.h"

using namespace pade;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void run(const std::string& model, const std::string& activation, int64_t batch, int steps) {
  Communicator& ranks = Communicator::world();
  check(batch >= ranks.size() && steps >= 1, "expected at least an image per rank, and a step");
  manual_seed(1);
  Sequential network = models::make_model(model, activation, 10, std::nullopt, {3, 32, 32});
  DataParallel overlapped(network, ranks), afterwards(network, ranks, {.overlap = false});
  Sgd optimizer(network.parameters(), {.lr = 1e-3, .momentum = 0.9});
  Rng rng(2, "bench", static_cast<uint64_t>(ranks.rank()));
  const int64_t own =
      batch * (ranks.rank() + 1) / ranks.size() - batch * ranks.rank() / ranks.size();
  const Tensor images = rng.normal({own, 3, 32, 32}, 0, 1), labels = rng.integers({own}, 0, 10);
  const BatchPart part{static_cast<double>(own) / static_cast<double>(batch)};

  struct Times {
    std::vector<double> step, waiting;
  } times[2];
  for (int step = -2; step < 2 * steps; ++step) {
    const int kind = step & 1;
    DataParallel& parallel = kind ? afterwards : overlapped;
    ranks.barrier();
    const double waited = parallel.seconds_waited();
    const auto start = std::chrono::steady_clock::now();
    Tape tape;
    parallel.backward(tape, cross_entropy(network(images), labels), part);
    optimizer.step();
    if (step < 0) continue;
    times[kind].step.push_back(seconds_since(start));
    times[kind].waiting.push_back(parallel.seconds_waited() - waited);
  }
  if (ranks.rank() > 0) return;
  int64_t bytes = 0;
  for (const Parameter& parameter : network.parameters())
    bytes += static_cast<int64_t>(parameter.tensor.bytes());
  std::printf(
      "model,activation,ranks,threads,batch,gradient MB,step ms,waiting ms,"
      "step ms when sent afterwards,waiting ms\n%s,%s,%d,%d,%lld,%.2f",
      model.c_str(), activation.c_str(), ranks.size(), num_threads(), static_cast<long long>(batch),
      static_cast<double>(bytes) / 1e6);
  for (const auto& [step, waiting] : times)
    std::printf(",%.2f,%.2f", 1e3 * median(step), 1e3 * median(waiting));
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: pade_ranks_bench MODEL ACTIVATION BATCH STEPS\n";
    return 2;
  }
  try {
    run(argv[1], argv[2], std::atoll(argv[3]), std::atoi(argv[4]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    if (Communicator* ranks = Communicator::joined()) ranks->abort(1);
    return 1;
  }
}
