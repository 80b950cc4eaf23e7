#pragma once

#include <pade/data/open_dataset.h>

#include "support/training_options.h"

namespace pade::support {

/// data::open_datasets() of what --dataset and --data name. On stderr it tells, of a folder of
/// images, the classes and where they are, and the files that are not used, with the first one for
/// each of ten reasons; of CIFAR, when it is the Python version. With options.quiet, only what is
/// not used. Throws Error when a split is empty.
data::DatasetSplits open_splits(const TrainingOptions& options);

}  // namespace pade::support
