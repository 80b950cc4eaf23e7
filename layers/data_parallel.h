#pragma once

#include <cstdint>
#include <memory>

#include <pade/core/distributed/batch_part.h>
#include <pade/core/distributed/communicator.h>
#include <pade/core/tape.h>
#include <pade/layers/module.h>

namespace pade {

struct DataParallelOptions {
  /// Gradients travel together in buckets of about so many bytes, each as soon as it is full.
  int64_t bucket_bytes = int64_t{4} << 20;
  /// Send them while backward() goes on; otherwise afterwards.
  bool overlap = true;
};

/// Trains one network in several processes, each of which computes its part of every batch:
///
///   Communicator& ranks = Communicator::world();
///   data::Loader loader(train, {.batch_size = 128, .shuffle = true, .ranks = ranks.size(),
///                               .rank = ranks.rank()});
///   DataParallel parallel(network, ranks);
///   for (auto [images, labels] : loader) {
///     Tape tape;
///     Tensor loss = cross_entropy(network(images), labels);
///     parallel.backward(tape, loss, loader.part());   // in the place of tape.backward(loss)
///     optimizer.step();
///   }
///
/// All ranks have the same parameters and buffers at the start, rank 0's, and after each batch: the
/// gradients are summed over the ranks, and floating buffers, such as running statistics, are
/// averaged. Clipping and optimisers see the gradient of the whole batch. Every number of ranks
/// gives the same bits every time; another number gives others, as sums are rounded elsewhere.
/// Streams of random numbers, such as Dropout's, are other ones on each rank.
///
/// Network and communicator must outlive this. Make it after network.to(…) and load_network().
class DataParallel {
 public:
  explicit DataParallel(Module& network, Communicator& ranks = Communicator::world(),
                        DataParallelOptions options = {});
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  Communicator& ranks() const;

  /// tape.backward() of the part's share of the batch's mean loss, of which `loss` is the mean over
  /// this part. With the last part the parameters have the whole batch's gradients.
  void backward(Tape& tape, const Tensor& loss, const BatchPart& part);

  /// Has rank 0's parameters, buffers and streams of random numbers everywhere, after they were
  /// changed by other means than training, as by loading them on rank 0.
  void synchronise();

  /// Whether any rank said so in the last backward() of a whole batch: with this the ranks agree,
  /// for nothing, to stop after the same step.
  void say(bool flag);
  bool anyone_said() const;

  /// What backward() has waited for others and for messages, so far.
  double seconds_waited() const;

 private:
  class Buckets;
  std::unique_ptr<Buckets> buckets_;
};

}  // namespace pade
