#pragma once

#include <string>

#include <pade/layers/module.h>
#include <pade/optim/optimizer.h>
#include <pade/optim/weight_average.h>

#include "support/metrics.h"

namespace pade::support {

/// Where a training run stands.
struct Position {
  int64_t epoch = 0;  ///< completed epochs
  int64_t batch = 0;  ///< completed steps of the epoch after them
  Totals totals;      ///< of those steps
  double epoch_seconds = 0, run_seconds = 0;
  double best_accuracy = -1;  ///< on the test images, over completed epochs
  EpochMetrics last;          ///< of the last completed epoch
};

/// What a training run changes, step by step.
struct TrainingState {
  Module& network;
  Optimizer& optimizer;
  WeightAverage* average = nullptr;  ///< where there is one
};

/// Writes everything that going on needs to one file, whole or not at all: the network under
/// `network.…`, the optimiser's state under `optimizer.…`, that of a WeightAverage under
/// `average.…`; the optimiser's lr_factor(), generators' counters, the position and
/// activation_metadata() in the metadata. The network is in it, though it stands in
/// last.safetensors too, because two files cannot be replaced in one instant.
void write_state(const std::string& path, const TrainingState& state, const Position& position);

/// Puts all of it into that state. Throws Error, with nothing changed, when the file does not fit.
Position read_state(const std::string& path, const TrainingState& state);

}  // namespace pade::support
