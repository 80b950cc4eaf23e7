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
  Shard shard;                     ///< the cells that this process runs
  bool quiet = false;
  std::string data;  ///< what --data says, for runs that are resumed
};

int threads_per_run(const RunSettings& settings);

/// What runs a cell from the start, and what goes on with it.
std::vector<std::string> start_command(const Grid& grid, const RunSettings& settings,
                                       const Cell& cell);
std::vector<std::string> resume_command(const Grid& grid, const RunSettings& settings,
                                        const Cell& cell);
/// Why a run failed, from what it wrote to stderr and its exit code.
std::string failure_of(const std::string& program, const std::string& errors, int exit_code);

/// Has the program look at the flags with every activation (--dry-run), and puts what they mean
/// into grid.options and settings.data. Returns 0, or, when it refuses, prints its message and
/// returns its exit code: nothing has been written then.
int check_flags(Grid& grid, RunSettings& settings);

}  // namespace pade::compare
