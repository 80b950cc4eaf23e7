#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <pade/core/io/safetensors.h>
#include <pade/data/dataset.h>

namespace pade::support {

/// What run.json says of the network in a run folder, as far as it is needed to run it again.
struct TrainedRun {
  std::string model, activation, dataset;
  std::optional<int64_t> width;  ///< as TrainingOptions have it
  data::DatasetInfo images;      ///< what the network takes and tells apart
};

/// The tensors of `folder`/<which>.safetensors; `which` is last or best. Throws Error, which says
/// what a run leaves when, where there is no such folder or file, and as read_safetensors() does.
SafetensorsFile read_weights(const std::string& folder, const std::string& which);

/// Reads `folder`/run.json, which belongs to these weights. What records of earlier versions do not
/// have is taken from the weights (the number of classes, whose names are then numbers) or from the
/// number of channels (images of 28×28 pixels where it is 1, otherwise of 32×32). Throws Error with
/// the path when it is not such a record, or one of another network.
TrainedRun read_trained_run(const std::string& folder, const SafetensorsFile& weights);

}  // namespace pade::support
