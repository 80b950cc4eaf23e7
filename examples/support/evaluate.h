#pragma once

#include <optional>

#include <pade/data/dataset.h>
#include <pade/layers/module.h>

#include "support/metrics.h"

namespace pade::support {

/// Loss and accuracy over the images of a set, or the first `limit`, in eval mode; then the network
/// is in train mode. An interrupt ends it early: what it returns then covers a part of the images.
Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device,
                    std::optional<int64_t> limit = {});

}  // namespace pade::support
