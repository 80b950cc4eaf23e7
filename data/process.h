#pragma once

#include <string>
#include <vector>

namespace pade::data {

struct ProcessResult {
  int exit_code = 0;   ///< 128 + the signal's number when one ended it
  std::string output;  ///< what it wrote to its stdout
};

/// Runs a program of the PATH with these arguments and waits for it. No shell is involved, so
/// nothing in an argument has a meaning but to the program. It shares our stderr.
/// Throws Error when it cannot be run.
ProcessResult run_program(const std::vector<std::string>& command);

/// Whether the PATH has a program of that name.
bool has_program(const std::string& name);

}  // namespace pade::data
