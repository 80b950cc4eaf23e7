#pragma once

#include <string>
#include <vector>

#include "compare/grid.h"

namespace pade::compare {

/// How the runs of a grid are made.
struct RunSettings {
  std::vector<std::string> flags;  ///< of the program, passed on as they are
  int jobs = 1;                    ///< runs side by side
  int threads = 0;                 ///< of each; 0: the processors, divided among the jobs
  bool quiet = false;
  std::string data;  ///< what --data says, for runs that are resumed
};

/// Has the program look at the flags with every activation (--dry-run), and puts what they mean
/// into grid.options and settings.data. Returns 0, or, when it refuses, prints its message and
/// returns its exit code: nothing has been written then.
int check_flags(Grid& grid, RunSettings& settings);

/// Runs the cells that are not finished, from their checkpoints where they have one, and writes
/// tables and pictures after each. Returns 0, 1 when cells failed, or 130 after an interrupt, which
/// stops them at a checkpoint. Throws Error, before anything is run, when a cell's folder belongs
/// to a run with other options, or when another process is at work in the grid's folder.
int run_grid(const Grid& grid, const RunSettings& settings);

/// Writes tables and pictures from the cells as they are. Returns how many failed, and prints the
/// table unless `quiet`.
int show_results(const Grid& grid, bool quiet);

}  // namespace pade::compare
