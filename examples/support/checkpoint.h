#pragma once

#include <string>

#include <pade/layers/module.h>
#include <pade/optim/optimizer.h>

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

/// Writes everything that going on needs to one file, whole or not at all: the network under
/// `network.…`, the optimiser's state under `optimizer.…`, generators' counters, the position and
/// activation_metadata() in the metadata. The network is in it, though it stands in
/// last.safetensors too, because two files cannot be replaced in one instant.
void write_state(const std::string& path, Module& network, Optimizer& optimizer,
                 const Position& position);

/// Puts network, optimiser and generators into that state. Throws Error, with nothing changed, when
/// the file does not fit them.
Position read_state(const std::string& path, Module& network, Optimizer& optimizer);

}  // namespace pade::support
