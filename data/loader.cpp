#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <numeric>
#include <span>

#include <pade/core/device_choice.h>
#include <pade/core/error.h>
#include <pade/core/kernels/cpu/augment.h>
#include <pade/core/kernels/cuda/upload.h>
#include <pade/core/kernels/problems.h>
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

/// Says whether images travel as bytes, to be augmented where they arrive.
bool augments_on_device(const LoaderOptions& options) {
  return options.augment_on_device && options.device != Device::cpu;
}

/// Makes a batch of the images of these indices.
AssembledBatch assemble(const Dataset& set, const LoaderOptions& options, int64_t epoch,
                        std::span<const int64_t> indices) {
  const Shape image = set.image_shape();
  AugmentProblem problem{image[0], image[1], image[2], 0};
  for (const Transform& transform : options.augment) problem.boxes += transform.erased_boxes();
  const Rng stream(*options.seed, "augment", static_cast<uint64_t>(epoch));
  const bool on_device = augments_on_device(options);
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
    Rng rng = stream;
    rng.set_counter(static_cast<uint64_t>(indices[i]) << 32);  // the image's own part
    ImageEdit edit({edits, static_cast<size_t>(fields)}, problem.h, problem.w);
    for (const Transform& transform : options.augment) transform.draw(edit, rng);
    if (on_device) {
      pixels += image.size();
      edits += fields;
    } else if (options.augment.empty()) {
      set.normalize(pixels, to + i * image.size());
    } else {
      cpu::augment_image(problem, pixels, edits, set.levels().data(), to + i * image.size());
    }
  }
  return on_device ? raw : AssembledBatch{images, raw.labels, {}};
}

/// A batch on its way to the GPU, which the call waits for; or none; or what it failed with.
using Arriving = std::function<std::optional<Batch>()>;

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
  /// Gives those that `loader` is to begin with.
  explicit EpochRun(const Loader& loader)
      : loader_(loader), next_(loader.first_batch_), end_(loader.size()) {
    const int64_t size = loader.limited_size();
    if (options_.shuffle) {
      const auto epoch = static_cast<uint64_t>(loader.epoch_);
      order_ = Rng(*options_.seed, "shuffle", epoch).permutation(size);
    } else {
      order_.resize(static_cast<size_t>(size));
      std::iota(order_.begin(), order_.end(), int64_t{0});
    }
  }

  /// Returns nothing when the epoch is over.
  std::optional<Batch> next() {
    if (options_.device != Device::cpu) {
      if (!arriving_) arriving_ = send_next();
      return std::exchange(arriving_, send_next())();
    }
    std::optional<AssembledBatch> batch = next_on_cpu();
    if (!batch) return std::nullopt;
    return Batch{std::move(batch->images), std::move(batch->labels)};
  }

 private:
  Arriving send_next() {
    try {
      if (const std::optional<AssembledBatch> batch = next_on_cpu())
        return send(*batch, loader_.levels_);
      return [] { return std::nullopt; };
    } catch (...) {
      return [failure = std::current_exception()]() -> std::optional<Batch> {
        std::rethrow_exception(failure);
      };
    }
  }

  std::optional<AssembledBatch> next_on_cpu() {
    // get() assembles where nothing is prefetched, where the system has no more threads, and of
    // rows of tensors, which are copied sooner than a thread begins.
    const auto policy = options_.prefetch > 0 && loader_.dataset_
                            ? std::launch::async | std::launch::deferred
                            : std::launch::deferred;
    for (; next_ < end_ && std::ssize(ahead_) <= options_.prefetch; ++next_)
      ahead_.push_back(std::async(policy, [this, batch = next_] { return assembled(batch); }));
    if (ahead_.empty()) return std::nullopt;
    std::future<AssembledBatch> first = std::move(ahead_.front());
    ahead_.pop_front();
    return first.get();
  }

  AssembledBatch assembled(int64_t batch) const {
    const auto size = static_cast<size_t>(options_.batch_size);
    std::span<const int64_t> indices = std::span(order_).subspan(static_cast<size_t>(batch) * size);
    indices = indices.first(std::min(indices.size(), size));
    if (loader_.dataset_) return assemble(*loader_.dataset_, options_, loader_.epoch_, indices);
    const TensorDataset& set = *loader_.tensors_;
    return {gather_rows(set.features(), indices), gather_rows(set.targets(), indices), {}};
  }

  const Loader loader_;  // as it was when the epoch began
  const LoaderOptions& options_ = loader_.options_;
  std::vector<int64_t> order_;
  int64_t next_;  // the first batch that is not in `ahead_`
  const int64_t end_;
  Arriving arriving_;  // to the GPU: the batch after the one given last
  /// The last member, so that these end before what they use.
  std::deque<std::future<AssembledBatch>> ahead_;
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
  return bad_alloc_as_error([this] {
    auto run = std::make_shared<EpochRun>(*this);
    ++epoch_;
    first_batch_ = 0;
    return Iterator(std::move(run));
  });
}

Loader::Iterator& Loader::Iterator::operator++() {
  batch_.reset();  // so that its memory can serve again
  batch_ = bad_alloc_as_error([this] { return run_->next(); });
  return *this;
}

}  // namespace pade::data
