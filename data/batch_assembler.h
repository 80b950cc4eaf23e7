#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include <pade/core/tensor.h>
#include <pade/data/loader.h>

namespace pade::data {

/// A batch as the CPU prepares it: ready, or, where there are `edits`, for augment() to be finished
/// on the device that it goes to.
struct AssembledBatch {
  Tensor images;  ///< float32, normalised; uint8 with edits
  Tensor labels;  ///< int32 [B]; for a TensorDataset, rows of features and of targets
  Tensor edits;   ///< int32, augment()'s; or undefined
};

/// Makes a batch of the samples of these indices. For one thread at a time.
using Assemble = std::function<AssembledBatch(std::span<const int64_t> indices)>;

Assemble assembler_of(const TensorDataset& set);
/// What happens to an image depends on the options' seed, which is there, on the epoch and on the
/// image's index.
Assemble assembler_of(const Dataset& set, const LoaderOptions& options, int64_t epoch);

/// Whether images travel as bytes, to be augmented where they arrive.
bool augments_on_device(const LoaderOptions& options);

}  // namespace pade::data
