#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <pade/core/device_choice.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cuda/upload.h>
#include <pade/core/ops/augment.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/data/batch_assembler.h>
#include <pade/data/loader.h>

namespace pade::data {
namespace {

/// A batch on its way to the GPU: each function gives its tensor.
struct Arriving {
  std::function<Tensor()> images, labels, edits;
};

Arriving send(const AssembledBatch& batch) {
  Arriving arriving;
  if constexpr (kHasCuda) {
    arriving = {cuda::begin_upload(batch.images), cuda::begin_upload(batch.labels), {}};
    if (batch.edits.defined()) arriving.edits = cuda::begin_upload(batch.edits);
  }
  return arriving;
}

}  // namespace

/// The batch of this number. For one thread at a time.
using Assemble = std::function<AssembledBatch(int64_t number)>;

/// The batches of one epoch, from a given one on.
class EpochRun {
 public:
  /// Batches [first, end) of what is assembled; `levels` is needed to finish those with edits.
  EpochRun(Assemble assemble, int64_t first, int64_t end, const LoaderOptions& options,
           Tensor levels)
      : assemble_(std::move(assemble)),
        next_(first),
        end_(end),
        device_(options.device),
        levels_(std::move(levels)),
        prefetch_(static_cast<size_t>(options.prefetch)) {
    if (prefetch_ == 0 || first >= end) return;
    try {
      producer_ = std::thread([this] { produce(); });
    } catch (const std::exception&) {
      // The system has no more threads, or memory for them: the caller of next() assembles.
    }
  }

  ~EpochRun() {
    if (!producer_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
    }
    changed_.notify_all();
    producer_.join();
  }

  EpochRun(const EpochRun&) = delete;
  EpochRun& operator=(const EpochRun&) = delete;

  /// Nothing when the epoch is over.
  std::optional<Batch> next() {
    if (device_ == Device::cpu) {
      std::optional<AssembledBatch> batch = next_on_cpu();
      if (!batch) return std::nullopt;
      return Batch{std::move(batch->images), std::move(batch->labels)};
    }
    if (!std::exchange(sending_, true)) send_next();
    if (unsent_) std::rethrow_exception(std::exchange(unsent_, nullptr));
    std::optional<Arriving> arriving = std::exchange(arriving_, std::nullopt);
    if (!arriving) return std::nullopt;
    send_next();
    const Tensor images = arriving->images(), labels = arriving->labels();
    return Batch{arriving->edits ? augment(images, arriving->edits(), levels_) : images, labels};
  }

 private:
  void send_next() {
    try {
      if (const std::optional<AssembledBatch> batch = next_on_cpu()) arriving_ = send(*batch);
    } catch (...) {
      unsent_ = std::current_exception();
    }
  }

  std::optional<AssembledBatch> next_on_cpu() {
    if (!producer_.joinable()) return assemble_next();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || finished_; });
    if (ready_.empty()) {
      if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
      return std::nullopt;
    }
    std::optional<AssembledBatch> batch = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return batch;
  }

  /// A batch is begun when there will be room for it.
  void produce_batches() {
    while (wait_for_room()) {
      std::optional<AssembledBatch> batch = assemble_next();
      if (!batch) break;
      {
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(*batch));
      }
      changed_.notify_all();
    }
  }

  /// Runs on the producer's thread.
  void produce() {
    std::exception_ptr failure;
    try {
      bad_alloc_as_error([this] { produce_batches(); });
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
      failure_ = failure;
    }
    changed_.notify_all();
  }

  /// Whether there is still somebody to prepare batches for.
  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.size() < prefetch_ || abandoned_; });
    return !abandoned_;
  }

  std::optional<AssembledBatch> assemble_next() {
    if (next_ >= end_) return std::nullopt;
    AssembledBatch batch = bad_alloc_as_error([this] { return assemble_(next_); });
    ++next_;  // a batch that failed is not left out when it is tried again
    return batch;
  }

  // Used by whoever assembles: the producer, or the caller of next() when there is none.
  Assemble assemble_;
  int64_t next_;
  const int64_t end_;

  // Used by the caller of next() only.
  const Device device_;
  const Tensor levels_;
  bool sending_ = false;
  std::optional<Arriving> arriving_;  // the batch after the one given last
  std::exception_ptr unsent_;         // why there is none

  const size_t prefetch_;
  std::mutex mutex_;  // guards what follows, but for the thread itself
  std::condition_variable changed_;
  std::deque<AssembledBatch> ready_;
  bool finished_ = false;
  bool abandoned_ = false;
  std::exception_ptr failure_;
  std::thread producer_;
};

Loader::Loader(const Dataset& dataset, LoaderOptions options)
    : dataset_(&dataset), options_(std::move(options)) {
  check_options();
  if (augments_on_device(options_))
    levels_ = Tensor::from(dataset.levels(), {dataset.image_shape()[0], 256}).to(options_.device);
}

Loader::Loader(TensorDataset dataset, LoaderOptions options)
    : tensors_(std::move(dataset)), options_(std::move(options)) {
  check_options();
  check(options_.augment.empty(), "Loader: only images of a Dataset are augmented (",
        describe(options_.augment), "); change the batches of a TensorDataset in the loop");
}

void Loader::check_options() {
  check(options_.batch_size >= 1, "Loader: batch_size is ", options_.batch_size,
        ", expected at least 1");
  check(options_.prefetch >= 0, "Loader: prefetch is ", options_.prefetch, ", expected at least 0");
  check(options_.limit.value_or(1) >= 1, "Loader: limit is ", options_.limit.value_or(1),
        ", expected at least 1");
  require_available(options_.device);
  if (!options_.seed) options_.seed = next_stream("loader").seed();
}

const Dataset& Loader::dataset() const {
  check(dataset_ != nullptr, "Loader: it is made of a TensorDataset, not of a Dataset");
  return *dataset_;
}

int64_t Loader::limited_size() const {
  const int64_t size = tensors_ ? tensors_->size() : dataset_->size();
  return std::min(size, options_.limit.value_or(size));
}

int64_t Loader::images() const {
  return limited_size() - (options_.drop_last ? limited_size() % options_.batch_size : 0);
}

int64_t Loader::size() const { return blocks_of(images(), options_.batch_size); }

void Loader::set_epoch(int64_t epoch, int64_t first_batch) {
  check(epoch >= 0, "Loader: epoch ", epoch, " is negative");
  check(first_batch >= 0 && first_batch <= size(), "Loader: batch ", first_batch,
        " is out of range; an epoch has ", size());
  epoch_ = epoch;
  first_batch_ = first_batch;
}

Loader::Iterator Loader::begin() {
  return Iterator(bad_alloc_as_error([this] { return begin_epoch(); }));
}

std::shared_ptr<EpochRun> Loader::begin_epoch() {
  const int64_t used = limited_size();
  std::vector<int64_t> order;
  if (options_.shuffle) {
    order = Rng(*options_.seed, "shuffle", static_cast<uint64_t>(epoch_)).permutation(used);
  } else {
    order.resize(static_cast<size_t>(used));
    std::iota(order.begin(), order.end(), int64_t{0});
  }
  Assemble assemble;
  if (tensors_)
    assemble = [set = *tensors_, order = std::move(order), size = options_.batch_size](int64_t i) {
      const auto rest = std::span(order).subspan(static_cast<size_t>(i * size));
      return gather(set, rest.first(std::min(rest.size(), static_cast<size_t>(size))));
    };
  else
    assemble = [assembler = BatchAssembler(*dataset_, options_, std::move(order), epoch_)](
                   int64_t i) mutable { return assembler.assemble(i); };
  auto run =
      std::make_shared<EpochRun>(std::move(assemble), first_batch_, size(), options_, levels_);
  ++epoch_;
  first_batch_ = 0;
  return run;
}

Loader::Iterator& Loader::Iterator::operator++() {
  batch_.reset();  // so that its memory can serve again
  batch_ = run_->next();
  return *this;
}

}  // namespace pade::data
