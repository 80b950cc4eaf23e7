#pragma once

#include <pade/data/locate.h>

#include "support/options.h"

namespace pade::support {

/// data::open_datasets() of what --dataset and --data name. Files of a folder of images that are
/// not used are listed on stderr, the first ten of them by name. Throws Error when a split is
/// empty.
data::DatasetSplits open_splits(const TrainingOptions& options);

}  // namespace pade::support
