#pragma once

#include <optional>
#include <vector>

#include <pade/data/dataset.h>
#include <pade/layers/module.h>

#include "support/augment.h"
#include "support/metrics.h"

namespace pade::support {

/// Loss and accuracy over the images of a set, or the first `limit`, in eval mode, by the logits of
/// these views of each, weighted; then the network is in train mode. An interrupt ends it early:
/// what it returns then covers a part of the images.
Evaluation evaluate(Module& network, const data::Dataset& dataset, Device device,
                    std::optional<int64_t> limit = {},
                    const std::vector<TestView>& views = {{1, {}}});

}  // namespace pade::support
