#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <pade/core/distributed/batch_part.h>
#include <pade/core/tensor.h>
#include <pade/data/dataset.h>
#include <pade/data/transforms.h>

namespace pade::data {

/// A batch of a Dataset. One of a TensorDataset has rows of features and targets in these places.
struct Batch {
  Tensor images;  ///< float32 [B, C, H, W], normalised
  Tensor labels;  ///< int32 [B]
};

struct LoaderOptions {
  int64_t batch_size = 32;  ///< of all ranks together
  bool shuffle = false;
  std::optional<uint64_t> seed = {};  ///< of order and augmentation; by default manual_seed()'s
  bool drop_last = false;             ///< leave out a last batch that is not full
  std::optional<int64_t> limit = {};  ///< use the first so many images only
  int64_t prefetch = 2;               ///< batches prepared ahead, by a thread of their own; 0: none
  /// Where batches are wanted. One more is under way to the GPU while it works on the last one.
  Device device = Device::cpu;
  /// What is done to each image, in this order, drawn again in each epoch:
  /// {RandomCrop{.padding = 4}, HorizontalFlip{}}. Nothing for testing, and for a TensorDataset.
  std::vector<Transform> augment = {};
  /// Images travel to a GPU as bytes, a quarter of what they are as floats, and are augmented and
  /// normalised there, to the same bits. For the CPU this changes nothing.
  bool augment_on_device = false;
  /// Of each batch this process gets the part of its rank, and that in so many parts, one after the
  /// other: one that takes less memory, and gradients that are accumulated. Order and augmentation
  /// of the samples do not depend on it.
  int64_t ranks = 1, rank = 0, parts = 1;
};

class EpochRun;

/// Makes batches of a Dataset or a TensorDataset, one epoch per loop:
///
///   Loader loader(train, {.batch_size = 128, .shuffle = true});
///   for (int epoch = 0; epoch < 10; ++epoch)
///     for (auto [images, labels] : loader) …
///
/// The order of epoch e is a function of the seed and e, and what is done to an image of these and
/// its index: training can be resumed anywhere, and batches are the same with any prefetching, on
/// every device, and for any number of ranks together. An exception in the dataset surfaces in the
/// loop, after the batches before it. The dataset must outlive loader and loops.
class Loader {
 public:
  /// Throws Error unless batch_size >= ranks · parts >= 1, 0 <= rank < ranks, prefetch >= 0 and
  /// limit >= 1, and where there is no such device.
  explicit Loader(const Dataset& dataset, LoaderOptions options = {});
  Loader(const Dataset&&, LoaderOptions = {}) = delete;
  /// Also throws Error where there is something to augment: tensors are not images.
  explicit Loader(TensorDataset dataset, LoaderOptions options = {});

  /// Batches per epoch, and the images (samples) in them.
  int64_t size() const;
  int64_t images() const;

  /// Which part of its batch the loop has got last. A last batch with too few samples for all parts
  /// gives some of them a sample of another one, and the share 0.
  const BatchPart& part() const { return part_; }

  /// Throws Error where it is a TensorDataset.
  const Dataset& dataset() const;

  /// The epoch that the next loop runs. Each begin() moves on by one.
  int64_t epoch() const { return epoch_; }
  /// The next loop runs this epoch, from this batch on. Throws Error unless epoch >= 0 and
  /// 0 <= first_batch <= size().
  void set_epoch(int64_t epoch, int64_t first_batch = 0);

  class Iterator;
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  void check_options();
  int64_t limited_size() const;

  const Dataset* dataset_ = nullptr;      // this …
  std::optional<TensorDataset> tensors_;  // … or that
  LoaderOptions options_;
  Tensor levels_;  // the dataset's, where images are augmented on the device
  int64_t epoch_ = 0;
  int64_t first_batch_ = 0;
  BatchPart part_;
};

/// Goes through one epoch. The last copy to be destroyed stops the prefetching.
class Loader::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  const Batch& operator*() const { return *batch_; }
  const Batch* operator->() const { return &*batch_; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !batch_; }

 private:
  friend class Loader;
  Iterator(std::shared_ptr<EpochRun> run, BatchPart& part) : run_(std::move(run)), part_(&part) {
    ++*this;
  }

  std::shared_ptr<EpochRun> run_;
  BatchPart* part_;  // the loader's
  std::optional<Batch> batch_;
};

}  // namespace pade::data
