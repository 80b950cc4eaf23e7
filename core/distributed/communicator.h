#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// Processes that work on one thing together, on one machine or on many, and what they need of each
/// other. Each of them, a rank, calls the same operations in the same order, with tensors of one
/// shape and dtype (float32 or float64); what one of them leaves out, the others wait for. All
/// calls of a process come from one of its threads.
class Communicator {
 public:
  /// All processes that this one was started with by mpirun or srun; otherwise this one alone. The
  /// first call waits until all have made it. Throws Error where there are several, and this build
  /// has no MPI (PADE_MPI).
  static Communicator& world();
  /// That world, where it has several processes and was asked for before; otherwise null.
  static Communicator* joined();

  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }  ///< 0 … size() − 1
  int size() const { return size_; }
  /// As `Open MPI v4.1.4`; or `one process`.
  virtual std::string description() const = 0;

  /// An operation that goes on while the caller computes.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual void wait() = 0;
  };
  /// Begins to replace `values` by their sum over all ranks, which is added in the order of the
  /// ranks: the same bits on each of them, and every time. Until wait(), nobody else uses `values`.
  virtual std::unique_ptr<Pending> begin_all_reduce(Tensor values) = 0;
  void all_reduce(Tensor values) { begin_all_reduce(std::move(values))->wait(); }
  /// Replaces `values` by those of rank 0.
  virtual void broadcast(Tensor values) = 0;
  /// What each rank has to say, in their order, on every rank.
  virtual std::vector<std::string> all_gather(const std::string& text) = 0;
  /// Returns when all ranks have called it.
  void barrier() { all_gather(""); }

  /// Ends all ranks at once, whatever they are doing: for what only this one knows to have failed.
  [[noreturn]] virtual void abort(int exit_code) = 0;

 protected:
  Communicator(int rank, int size) : rank_(rank), size_(size) {}

 private:
  const int rank_, size_;
};

}  // namespace pade
