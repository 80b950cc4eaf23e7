#pragma once

#include <pade/data/dataset.h>
#include <pade/layers/module.h>

#include "support/metrics.h"

namespace pade::support {

/// Loss and accuracy over all images of a set, in eval mode; then the network is in train mode.
Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device);

}  // namespace pade::support
