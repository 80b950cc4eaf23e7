#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <pade/core/kernels/problems.h>
#include <pade/core/random.h>
#include <pade/core/tensor.h>
#include <pade/data/loader.h>
#include <pade/data/tensor_dataset.h>

namespace pade::data {

/// A batch as the CPU prepares it: ready, or, where there are `edits`, for augment() to be finished
/// on the device that it goes to.
struct AssembledBatch {
  Tensor images;  ///< float32, normalised; uint8 with edits
  Tensor labels;  ///< int32 [B]; for a TensorDataset, rows of features and of targets
  Tensor edits;   ///< int32, augment()'s; or undefined
};

/// These rows of features and targets.
AssembledBatch gather(const TensorDataset& set, std::span<const int64_t> indices);

/// Whether images travel as bytes, to be augmented where they arrive.
bool augments_on_device(const LoaderOptions& options);

/// Reads the images of batches, and draws what happens to them. For one thread at a time.
class BatchAssembler {
 public:
  /// `order` lists the images of the whole epoch; `options` have a seed.
  BatchAssembler(const Dataset& dataset, const LoaderOptions& options, std::vector<int64_t> order,
                 int64_t epoch);

  AssembledBatch assemble(int64_t batch);

 private:
  void read(int64_t index, float* image, int32_t& label);
  void draw(int64_t index, int32_t* edit) const;

  const Dataset& dataset_;
  const std::vector<int64_t> order_;
  const int64_t batch_size_;
  const std::vector<Transform> transforms_;
  const bool on_device_;
  const Rng epoch_draws_;
  const AugmentProblem problem_;
  std::vector<int32_t> edit_;  // of the image at hand
  std::vector<uint8_t> pixels_;
};

}  // namespace pade::data
