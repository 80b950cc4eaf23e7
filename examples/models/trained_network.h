#pragma once

#include <pade/core/io/safetensors.h>
#include <pade/layers/sequential.h>

#include "support/trained_run.h"

namespace pade::models {

/// The network that run.json describes, with these weights and the activations that their file
/// names, in eval mode. Throws Error where the two do not fit.
Sequential trained_network(const support::TrainedRun& run, const SafetensorsFile& weights);

}  // namespace pade::models
