#pragma once

#include <string>

#include <pade/core/distributed/communicator.h>
#include <pade/data/open_dataset.h>

#include "support/training_options.h"

namespace pade::support {

/// The options as this rank takes them: all ranks but the first are quiet. Unless --threads says
/// how many each has, ranks that may run on the same processors share them; on GPUs, the ranks of a
/// host each take one. Call it before anything else that uses a device.
TrainingOptions options_of_rank(TrainingOptions options, Communicator& ranks);

/// Throws Error, on every rank, unless all have the same options, build and data; it names the rank
/// and what it has. Threads and folders of data may differ.
void check_ranks_agree(const std::string& program, const TrainingOptions& options,
                       const data::DatasetSplits& splits, Communicator& ranks);

/// Whether it is so on any rank.
bool is_so_anywhere(bool here, Communicator& ranks);

}  // namespace pade::support
