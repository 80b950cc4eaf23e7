#pragma once

#include <pade/data/locate.h>

#include "support/options.h"

namespace pade::support {

/// data::open_datasets() of what --dataset and --data name. Of a folder of images, the classes and
/// where they are, unless options.quiet, and the files that are not used, with the first one for
/// each of ten reasons, are told on stderr. Throws Error when a split is empty.
data::DatasetSplits open_splits(const TrainingOptions& options);

}  // namespace pade::support
