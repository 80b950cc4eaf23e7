#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <span>
#include <stop_token>
#include <thread>

#include <pade/core/device_choice.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cpu/augment.h>
#include <pade/core/kernels/cuda/upload.h>
#include <pade/core/kernels/problems.h>
#include <pade/core/numbers.h>
#include <pade/core/ops/augment.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/data/loader.h>

namespace pade::data {
namespace {

/// A batch as the CPU prepares it: ready, or, where there are `edits`, for augment() to be finished
/// on the device that it goes to.
struct AssembledBatch {
  Tensor images;  ///< float32, normalised; uint8 with edits
  Tensor labels;  ///< int32 [B]; for a TensorDataset, rows of features and of targets
  Tensor edits;   ///< int32, augment()'s; or undefined
};

/// rows[i] = tensor[indices[i]].
Tensor gather_rows(const Tensor& tensor, std::span<const int64_t> indices) {
  const int64_t length = tensor.shape().size_from(1);
  Tensor rows = Tensor::empty(tensor.shape().with(0, std::ssize(indices)), tensor.dtype());
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = tensor.data<T>();
    T* to = rows.mutable_data<T>();
    for (const int64_t index : indices) to = std::copy_n(from + index * length, length, to);
  });
  return rows;
}

/// Makes a batch of the samples of these indices.
using Assemble = std::function<AssembledBatch(std::span<const int64_t> indices)>;

Assemble assembler_of(const TensorDataset& set) {
  return [set](std::span<const int64_t> indices) -> AssembledBatch {
    return {gather_rows(set.features(), indices), gather_rows(set.targets(), indices), {}};
  };
}

/// Says whether images travel as bytes, to be augmented where they arrive.
bool augments_on_device(const LoaderOptions& options) {
  return options.augment_on_device && options.device != Device::cpu;
}

Assemble assembler_of(const Dataset& set, const LoaderOptions& options, int64_t epoch) {
  const Shape image = set.image_shape();
  AugmentProblem problem{image[0], image[1], image[2], 0};
  for (const Transform& transform : options.augment) problem.boxes += transform.erased_boxes();
  return [&set, image, problem, transforms = options.augment,
          on_device = augments_on_device(options),
          stream = Rng(*options.seed, "augment", static_cast<uint64_t>(epoch)), epoch,
          in_all_epochs = Rng(*options.seed, "augment always")](
             std::span<const int64_t> indices) -> AssembledBatch {
    const int64_t count = std::ssize(indices), kept = on_device ? count : 1,
                  fields = kImageEditFields + kBoxFields * problem.boxes;
    AssembledBatch raw{Tensor::empty({kept, image[0], image[1], image[2]}, DType::uint8),
                       Tensor::empty({count}, DType::int32),
                       Tensor::empty({kept, fields}, DType::int32)};
    Tensor images = Tensor::empty(raw.images.shape().with(0, on_device ? 0 : count));
    uint8_t* pixels = raw.images.mutable_data<uint8_t>();
    int32_t* labels = raw.labels.mutable_data<int32_t>();
    int32_t* edits = raw.edits.mutable_data<int32_t>();
    float* to = images.mutable_data<float>();
    for (int64_t i = 0; i < count; ++i) {
      labels[i] = set.read(indices[i], pixels);
      Rng rng = stream, image_rng = in_all_epochs;
      for (Rng* own : {&rng, &image_rng})  // the image's own parts
        own->set_counter(static_cast<uint64_t>(indices[i]) << 32);
      ImageEdit edit({edits, static_cast<size_t>(fields)}, problem.h, problem.w, epoch, image_rng);
      for (const Transform& transform : transforms) transform.draw(edit, rng);
      if (on_device) {
        pixels += image.size();
        edits += fields;
      } else if (transforms.empty()) {
        set.normalize(pixels, to + i * image.size());
      } else {
        cpu::augment_image(problem, pixels, edits, set.levels().data(), to + i * image.size());
      }
    }
    return on_device ? raw : AssembledBatch{images, raw.labels, {}};
  };
}

/// Samples of the epoch's order, and what they are of their batch.
struct Part {
  int64_t begin, end;
  BatchPart of_batch;
};

/// Number `i`, from the epoch's start on, of this rank's parts. A batch is cut into ranks · parts
/// of them, whose sizes differ by one sample at most.
Part part_of(const LoaderOptions& options, int64_t samples, int64_t i) {
  const int64_t begin = i / options.parts * options.batch_size,
                size = std::min(options.batch_size, samples - begin), own = i % options.parts,
                number = options.rank * options.parts + own, all = options.ranks * options.parts;
  const auto cut = [&](int64_t part) { return begin + size * part / all; };
  const int64_t count = cut(number + 1) - cut(number);
  const BatchPart part{static_cast<double>(count) / static_cast<double>(size), own == 0,
                       own == options.parts - 1};
  if (count == 0) return {begin, begin + 1, part};
  return {cut(number), cut(number + 1), part};
}

/// A batch on its way to the GPU, which the call waits for; or none.
using Arriving = std::function<Batch()>;

Arriving send(const AssembledBatch& batch, const Tensor& levels) {
  if constexpr (kHasCuda) {
    const auto images = cuda::begin_upload(batch.images), labels = cuda::begin_upload(batch.labels);
    if (!batch.edits.defined()) return [=] { return Batch{images(), labels()}; };
    return [=, edits = cuda::begin_upload(batch.edits)] {
      return Batch{augment(images(), edits(), levels), labels()};
    };
  }
  return {};
}

}  // namespace

/// The batches of one epoch, from a given one on.
class EpochRun {
 public:
  /// Gives this rank's parts of batches [first, end) of the samples in `order`; `levels` finishes
  /// those with edits.
  EpochRun(Assemble assemble, std::vector<int64_t> order, int64_t first, int64_t end,
           const LoaderOptions& options, Tensor levels)
      : assemble_(std::move(assemble)),
        order_(std::move(order)),
        next_(first * options.parts),
        end_(end * options.parts),
        options_(options),
        levels_(std::move(levels)),
        given_(next_) {
    if (options.prefetch == 0 || first >= end) return;
    try {
      producer_ = std::jthread([this](const std::stop_token& stop) { produce(stop); });
    } catch (const std::exception&) {
      // The system has no more threads, or memory for them: the caller of next() assembles.
    }
  }

  /// Returns nothing when the epoch is over; otherwise says in `part` what it is of its batch.
  std::optional<Batch> next(BatchPart& part) {
    std::optional<Batch> batch = next();
    if (batch) part = part_of(options_, std::ssize(order_), given_++).of_batch;
    return batch;
  }

 private:
  std::optional<Batch> next() {
    if (options_.device == Device::cpu) {
      std::optional<AssembledBatch> batch = next_on_cpu();
      if (!batch) return std::nullopt;
      return Batch{std::move(batch->images), std::move(batch->labels)};
    }
    if (!std::exchange(sending_, true)) send_next();
    if (unsent_) std::rethrow_exception(std::exchange(unsent_, nullptr));
    const Arriving arriving = std::exchange(arriving_, nullptr);
    if (!arriving) return std::nullopt;
    send_next();
    return arriving();
  }

  void send_next() {
    try {
      if (const std::optional<AssembledBatch> batch = next_on_cpu())
        arriving_ = send(*batch, levels_);
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
    changed_.notify_all();
    return batch;
  }

  /// Runs on the producer's thread. A batch is begun when there will be room for it.
  void produce(const std::stop_token& stop) {
    std::exception_ptr failure;
    try {
      while (std::optional<AssembledBatch> batch = assemble_next()) {
        std::unique_lock lock(mutex_);
        ready_.push_back(std::move(*batch));
        changed_.notify_all();
        changed_.wait(lock, stop, [this] { return std::ssize(ready_) < options_.prefetch; });
        if (stop.stop_requested()) return;
      }
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    finished_ = true;
    failure_ = failure;
    changed_.notify_all();
  }

  std::optional<AssembledBatch> assemble_next() {
    if (next_ >= end_) return std::nullopt;
    const Part part = part_of(options_, std::ssize(order_), next_);
    AssembledBatch batch = assemble_(std::span(order_).subspan(
        static_cast<size_t>(part.begin), static_cast<size_t>(part.end - part.begin)));
    ++next_;  // a batch that failed is not left out when it is tried again
    return batch;
  }

  // Used by whoever assembles: the producer, or the caller of next() when there is none.
  Assemble assemble_;
  const std::vector<int64_t> order_;
  int64_t next_;
  const int64_t end_;
  const LoaderOptions options_;

  // Used by the caller of next() only.
  const Tensor levels_;
  int64_t given_;  // parts
  bool sending_ = false;
  Arriving arriving_;          // the batch after the one given last
  std::exception_ptr unsent_;  // why there is none

  std::mutex mutex_;  // guards what follows, but for the thread itself
  std::condition_variable_any changed_;
  std::deque<AssembledBatch> ready_;
  bool finished_ = false;
  std::exception_ptr failure_;
  std::jthread producer_;  // the last member, so that it ends before what it uses
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
  check(options_.parts >= 1 && options_.ranks >= 1, "Loader: expected at least one rank and part, ",
        "got ", options_.ranks, " and ", options_.parts);
  check(options_.rank >= 0 && options_.rank < options_.ranks, "Loader: rank ", options_.rank,
        " is not one of ", options_.ranks);
  check(options_.batch_size / options_.ranks >= options_.parts, "Loader: batches of ",
        options_.batch_size, " are too few samples for ", options_.ranks, " ranks with ",
        counted(options_.parts, "part"), " each");
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
  return bad_alloc_as_error([this] {
    std::vector<int64_t> order(static_cast<size_t>(limited_size()));
    if (options_.shuffle)
      order =
          Rng(*options_.seed, "shuffle", static_cast<uint64_t>(epoch_)).permutation(limited_size());
    else
      std::iota(order.begin(), order.end(), int64_t{0});
    auto run = std::make_shared<EpochRun>(
        tensors_ ? assembler_of(*tensors_) : assembler_of(*dataset_, options_, epoch_),
        std::move(order), first_batch_, size(), options_, levels_);
    ++epoch_;
    first_batch_ = 0;
    return Iterator(std::move(run), part_);
  });
}

Loader::Iterator& Loader::Iterator::operator++() {
  batch_.reset();  // so that its memory can serve again
  batch_ = bad_alloc_as_error([this] { return run_->next(*part_); });
  return *this;
}

}  // namespace pade::data
