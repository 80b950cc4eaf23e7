#pragma once

#include <pade/core/distributed/communicator.h>

#include "compare/program.h"

namespace pade::compare {

/// Runs the cells that are not finished, from their checkpoints where they have one, and writes
/// tables and pictures after each. Returns 0, 1 when cells failed, or 130 after an interrupt, which
/// stops them at a checkpoint. Throws Error, before anything is run, when a cell's folder belongs
/// to a run with other options, or when another process is at work in the grid's folder: other
/// shards may be, of as many. Ranks wait for each other at the end, and the first one prints the
/// tables.
int run_grid(const Grid& grid, const RunSettings& settings, Communicator& ranks);

/// Writes tables and pictures from the cells as they are. Returns how many failed, and prints the
/// table unless `quiet`.
int show_results(const Grid& grid, bool quiet);

}  // namespace pade::compare
