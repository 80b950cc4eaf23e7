#include "compare/program.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/parallel.h>

#include "compare/child_process.h"
#include "support/command.h"

namespace pade::compare {
namespace {

namespace fs = std::filesystem;

/// The program of that name beside this one.
std::string path_of(const std::string& program) {
  return (fs::read_symlink("/proc/self/exe").parent_path() / program).string();
}

std::vector<std::string> command_for(const Grid& grid, const RunSettings& settings,
                                     const Cell& cell) {
  std::vector<std::string> command{path_of(grid.program)};
  command.insert(command.end(), settings.flags.begin(), settings.flags.end());
  for (const std::string& word :
       {std::string("--activation"), cell.activation, std::string("--seed"),
        std::to_string(cell.seed), std::string("--threads"),
        std::to_string(threads_per_run(settings)), std::string("--quiet")})
    command.push_back(word);
  return command;
}

/// The program's message without its name and its hint: "lenet: no such…\nTry lenet --help\n".
std::string message_of(const std::string& errors, const std::string& program) {
  std::istringstream lines(errors);
  std::string message;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && !line.starts_with("Try ")) message = line;
  const std::string name = program + ": ";
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

}  // namespace

int threads_per_run(const RunSettings& settings) {
  return settings.threads > 0 ? settings.threads : std::max(1, num_threads() / settings.jobs);
}

std::vector<std::string> start_command(const Grid& grid, const RunSettings& settings,
                                       const Cell& cell) {
  std::vector<std::string> command = command_for(grid, settings, cell);
  command.insert(command.end(), {"--out", cell.path});
  return command;
}

std::vector<std::string> resume_command(const Grid& grid, const RunSettings& settings,
                                        const Cell& cell) {
  std::vector<std::string> command{path_of(grid.program),
                                   "--resume",
                                   cell.path,
                                   "--threads",
                                   std::to_string(threads_per_run(settings)),
                                   "--quiet"};
  if (!settings.data.empty()) command.insert(command.end(), {"--data", settings.data});
  return command;
}

std::string failure_of(const std::string& program, const std::string& errors, int exit_code) {
  const std::string message = message_of(errors, program);
  if (!message.empty()) return message;
  if (exit_code > 128) return "ended by signal " + std::to_string(exit_code - 128);
  return "ended with exit code " + std::to_string(exit_code) + " and without final figures";
}

int check_flags(Grid& grid, RunSettings& settings) {
  for (const std::string& activation : grid.activations) {
    std::vector<std::string> command = command_for(grid, settings, {activation, grid.seeds[0], ""});
    command.push_back("--dry-run");
    ChildProcess program(command);
    if (const int exit_code = program.wait(); exit_code != 0) {
      std::cerr << "compare: " << grid.program << " with " << activation << ": "
                << message_of(program.errors(), grid.program) << '\n';
      if (exit_code == 2)
        std::cerr << "Try " << support::typed_command() << " --help, and "
                  << support::typed_command(grid.program) << " --help\n";
      return exit_code;
    }
    try {
      const nlohmann::json json = nlohmann::json::parse(program.output());
      grid.options = common_options(program.output());
      settings.data = json.at("data");
    } catch (const nlohmann::json::exception& error) {
      fail(command[0],
           " --dry-run: is not a program of this version of Padé, build it again: ", error.what());
    }
  }
  return 0;
}

}  // namespace pade::compare
