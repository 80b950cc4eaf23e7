// What several processes compute together is what one computes alone:
//   mpirun -n 4 ranks           checks the operations, gradients and sync_batch_norm(); exit code 1
//                               and a message where one is wrong
//   mpirun -n 4 ranks train K   prints the loss of each of 20 steps of LeNet, each rank's part of a
//                               batch in K parts, and a hash of the weights

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <pade/core/distributed/communicator.h>
#include <pade/core/distributed/sync_batch_norm.h>
#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/cross_entropy.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/random.h>
#include <pade/data/loader.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/data_parallel.h>
#include <pade/layers/dropout.h>
#include <pade/layers/linear.h>
#include <pade/layers/sequential.h>
#include <pade/optim/sgd.h>

#include "models/lenet.h"

using namespace pade;

namespace {

template <class T>
void check_all_reduce(Communicator& ranks, int64_t size) {
  const auto value = [&](int rank, int64_t i) {
    return static_cast<T>(std::sin(static_cast<double>(i + 1)) * (rank + 1) / 3);
  };
  Tensor values = Tensor::empty({size}, dtype_of<T>());
  T* own = values.mutable_data<T>();
  for (int64_t i = 0; i < size; ++i) own[i] = value(ranks.rank(), i);
  ranks.all_reduce(values);
  for (int64_t i = 0; i < size; ++i) {
    double sum = 0;
    for (int r = 0; r < ranks.size(); ++r) sum += value(r, i);
    check(values.data<T>()[i] == static_cast<T>(sum), "all_reduce of ", size, " ", dtype_of<T>(),
          ": element ", i, " is ", values.data<T>()[i], ", expected ", sum);
  }
}

void check_operations(Communicator& ranks) {
  for (const int64_t size : {0, 1, 2, 3, 5, 1000, 100001}) {
    check_all_reduce<float>(ranks, size);
    check_all_reduce<double>(ranks, size);
  }

  std::vector<Tensor> tensors;
  std::vector<std::unique_ptr<Communicator::Pending>> pending;
  for (int i = 0; i < 20; ++i) {
    tensors.push_back(Tensor::full({1000 * i + 1}, i + ranks.rank()));
    pending.push_back(ranks.begin_all_reduce(tensors.back()));
  }
  for (const auto& one : pending) one->wait();
  for (int i = 0; i < 20; ++i)
    check(tensors[i].max().item() == ranks.size() * i + ranks.size() * (ranks.size() - 1) / 2,
          "several at once: number ", i, " is ", tensors[i].max().item());

  Tensor sent = Tensor::full({3, 5}, 10 + ranks.rank(), DType::float64);
  ranks.broadcast(sent);
  check(sent.min().item() == 10 && sent.max().item() == 10, "broadcast gave ", sent.min().item());

  const auto text_of = [](int rank) { return std::string(static_cast<size_t>(rank) * 1000, 'a'); };
  const std::vector<std::string> texts = ranks.all_gather(text_of(ranks.rank()));
  check(static_cast<int>(texts.size()) == ranks.size(), "all_gather gave ", texts.size(), " texts");
  for (int r = 0; r < ranks.size(); ++r)
    check(texts[r] == text_of(r), "all_gather: the text of rank ", r, " is another one");
  bool refused = false;
  try {
    ranks.all_reduce(Tensor::zeros({2}, DType::int32));
  } catch (const Error&) {
    refused = true;
  }
  check(refused || ranks.size() == 1, "all_reduce took int32");
  ranks.barrier();
}

double largest(const Tensor& x) { return x.size() == 0 ? 0 : x.abs().max().item(); }

void check_close(const char* what, const Tensor& got, const Tensor& expected, double tolerance) {
  const double error = largest(got - expected), scale = std::max(1e-3, largest(expected));
  check(error <= tolerance * scale, what, " differs by ", error, " of ", scale);
}

/// sync_batch_norm() of the ranks' unequal parts against batch_norm() of all of it.
void check_sync_batch_norm(Communicator& ranks, double offset) {
  constexpr int64_t kChannels = 3;
  const int64_t n = 2 * ranks.size() + 1;  // rank 0 has three images, the others two
  Rng rng(7, "sync_batch_norm");
  const Tensor x = rng.normal({n, kChannels, 4, 5}, offset, 2, DType::float64),
               dy = rng.normal(x.shape(), 0, 1, DType::float64),
               gamma = rng.normal({kChannels}, 1, 0.3, DType::float64).requires_grad_(),
               beta = rng.normal({kChannels}, 0, 0.3, DType::float64).requires_grad_();
  struct Result {
    Tensor y, dx, dgamma, dbeta, mean = Tensor::zeros({kChannels}, DType::float64),
                                 var = Tensor::ones({kChannels}, DType::float64);
  };
  const auto compute = [&](int64_t begin, int64_t end, auto&& norm) {
    Result result;
    Tensor part = x.slice(begin, end).clone();
    part.requires_grad_();
    for (int step = 0; step < 2; ++step) {  // the second one with running statistics that moved
      Tape tape;
      result.y = norm(part, result.mean, result.var);
      tape.backward((result.y * dy.slice(begin, end)).sum());
    }
    result.dx = part.grad();
    result.dgamma = gamma.grad().clone();
    result.dbeta = beta.grad().clone();
    return result;
  };
  const Result whole = compute(0, n, [&](const Tensor& part, Tensor& mean, Tensor& var) {
    return batch_norm(part, gamma, beta, mean, var);
  });
  const int64_t begin = ranks.rank() == 0 ? 0 : 1 + 2 * ranks.rank(), end = 3 + 2 * ranks.rank();
  const Result own = compute(begin, end, [&](const Tensor& part, Tensor& mean, Tensor& var) {
    return sync_batch_norm(part, gamma, beta, mean, var, {}, ranks);
  });
  ranks.all_reduce(own.dgamma);
  ranks.all_reduce(own.dbeta);
  constexpr double kTolerance = 1e-9;
  check_close("sync_batch_norm's y", own.y, whole.y.slice(begin, end), kTolerance);
  check_close("sync_batch_norm's dx", own.dx, whole.dx.slice(begin, end), kTolerance);
  check_close("sync_batch_norm's dgamma", own.dgamma, whole.dgamma, kTolerance);
  check_close("sync_batch_norm's dbeta", own.dbeta, whole.dbeta, kTolerance);
  check_close("sync_batch_norm's running_mean", own.mean, whole.mean, kTolerance);
  check_close("sync_batch_norm's running_var", own.var, whole.var, kTolerance);
}

/// Two branches, of which a sample may take one only, and one that none takes.
struct Branches : Module {
  Linear first{4, 2}, second{4, 2}, unused{4, 2};
  bool takes_second = false;

  Tensor forward(const Tensor& x) override { return takes_second ? second(x) : first(x); }
  void visit(ModuleVisitor& visitor) override {
    visitor.child("first", first);
    visitor.child("second", second);
    visitor.child("unused", unused);
  }
  std::string description() const override { return "Branches"; }
};

/// What some ranks have no gradient of still gets that of the others.
void check_unused_parameters(Communicator& ranks) {
  manual_seed(1);
  Branches network;
  network.takes_second = ranks.rank() % 2 == 1;
  DataParallel parallel(network, ranks, {.bucket_bytes = 8});
  for (int step = 0; step < 2; ++step) {
    Tape tape;
    parallel.backward(tape, network(Tensor::ones({1, 4})).sum(), {1.0 / ranks.size()});
  }
  const double of_second = static_cast<double>(ranks.size() / 2) / ranks.size();
  check_close("first", network.first.bias.grad(), Tensor::full({2}, 1 - of_second), 1e-6);
  if (ranks.size() > 1)
    check_close("second", network.second.bias.grad(), Tensor::full({2}, of_second), 1e-6);
  check(!network.unused.bias.grad().defined(), "a parameter that nobody used got a gradient");
}

/// Ranks start from other weights, draw other random numbers, and have the same state afterwards.
void check_states_stay_alike(Communicator& ranks) {
  manual_seed(static_cast<uint64_t>(ranks.rank()));
  Sequential network{Linear(8, 6), BatchNorm1d(6), Dropout(0.5), Linear(6, 3)};
  DataParallel parallel(network, ranks);
  Sgd optimizer(network.parameters(), {.lr = 0.1});
  Rng rng(3, "input", static_cast<uint64_t>(ranks.rank()));
  for (int step = 0; step < 5; ++step) {
    Tape tape;
    const Tensor y = network(rng.normal({4, 8}, 0, 1));
    parallel.say(step == 3 && ranks.rank() == ranks.size() - 1);
    parallel.backward(tape, (y * y).mean(), {1.0 / ranks.size()});
    optimizer.step();
    check(parallel.anyone_said() == (step == 3), "the flag of step ", step, " is wrong");
  }
  for (const auto& [name, tensor] : network.state()) {
    const Tensor of_first = tensor.clone();
    ranks.broadcast(of_first);
    check(largest(of_first - tensor) == 0, name, " is not rank 0's after five steps");
  }
  const std::string drawn = std::to_string(network.generators()[0].second->counter());
  const std::vector<std::string> all = ranks.all_gather(drawn);
  check(std::set<std::string>(all.begin(), all.end()).size() == all.size(),
        "two ranks draw the same random numbers");
}

uint64_t hash_of(Module& network) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const auto& [name, tensor] : network.state())
    for (const float value : tensor.to_vector<float>()) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      hash = (hash ^ bits) * 1099511628211u;
    }
  return hash;
}

void train(Communicator& ranks, int64_t parts) {
  manual_seed(5);
  Sequential network = models::lenet("hp1", {.channels = 1, .image_size = 28});
  DataParallel parallel(network, ranks, {.bucket_bytes = 20000});
  Sgd optimizer(network.parameters(), {.lr = 0.02, .momentum = 0.9});
  Rng rng(11, "images");
  // 7 full batches and one of 5 images, fewer than there may be parts.
  const data::TensorDataset set(rng.normal({7 * 64 + 5, 1, 28, 28}, 0, 1),
                                rng.integers({7 * 64 + 5}, 0, 10));
  data::Loader loader(set, {.batch_size = 64,
                            .shuffle = true,
                            .seed = 2,
                            .ranks = ranks.size(),
                            .rank = ranks.rank(),
                            .parts = parts});
  Tensor batch_loss = Tensor::zeros({1}, DType::float64);
  for (int step = 0; step < 20;)
    for (auto [images, labels] : loader) {
      Tape tape;
      const Tensor loss = cross_entropy(network(images), labels);
      parallel.backward(tape, loss, loader.part());
      batch_loss.add_(Tensor::full({1}, loss.item(), DType::float64), loader.part().share);
      if (!loader.part().last) continue;
      optimizer.step();
      ranks.all_reduce(batch_loss);
      if (ranks.rank() == 0) std::printf("%.9f\n", batch_loss.item());
      batch_loss.fill_(0);
      if (++step == 20) break;
    }
  if (ranks.rank() == 0)
    std::printf("weights %016llx\n", static_cast<unsigned long long>(hash_of(network)));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Communicator& ranks = Communicator::world();
    if (argc == 3 && std::string(argv[1]) == "train") {
      train(ranks, std::atoll(argv[2]));
      return 0;
    }
    check_operations(ranks);
    check_sync_batch_norm(ranks, 0.5);
    check_sync_batch_norm(ranks, 1e5);
    check_unused_parameters(ranks);
    check_states_stay_alike(ranks);
    if (ranks.rank() == 0)
      std::cout << ranks.size() << " ranks, " << ranks.description() << ": passed\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    if (Communicator* ranks = Communicator::joined()) ranks->abort(1);
    return 1;
  }
}
