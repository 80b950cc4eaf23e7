// Trains a network with several activations and seeds, and compares them with honest statistics.

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <limits>

#include <pade/core/distributed/communicator.h>
#include <pade/core/error.h>

#include "compare/run_grid.h"
#include "compare/verdict.h"
#include "support/command.h"
#include "support/number_option.h"
#include "support/options.h"
#include "support/run_folder.h"
#include "support/terminal.h"

using namespace pade;
using namespace pade::compare;

namespace {

struct CommandLine {
  Grid grid;
  RunSettings settings;
  std::string seeds = "1-3";
  std::string shard;
  std::string table;    ///< folder of a grid to make the tables of
  std::string verdict;  ///< file of results to judge
};

std::string footer() {
  return support::examples_text(
             {{"--activations 'relu;leaky_relu;hp1;hp2' --seeds 1-5 --out runs/activations", ""},
              {"--program cifar --activations 'relu;hp1' --seeds 1-3 --model preactresnet18 \\\n"
               "      --epochs 200 --device cuda --out runs/preactresnet18",
               ""},
              {"--activations 'relu;hp1' --lr 0.05 --jobs 2 --out runs/faster", ""},
              {"--activations 'relu;hp1' --shard 3/8 --out runs/shared",
               "the third eighth of the runs, as one job of eight"},
              {"--table runs/activations", "the tables again, without running anything"},
              {"--verdict results.csv", "the same statistics of results from elsewhere"}}) +
         "\nAll other flags, and what follows --, are the program's: lenet --help, cifar --help.\n"
         "The same command goes on where it was stopped; more --activations and --seeds enlarge a\n"
         "grid.";
}

void add_flags(CLI::App& app, CommandLine& options) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--program", options.grid.program, "what trains: lenet or cifar")
      ->check(support::one_of(program_names(), "program"))
      ->capture_default_str();
  app.add_option("--activations", options.grid.activations,
                 "with semicolons between; the first is what the others are compared with")
      ->delimiter(';')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(support::activation_spec());
  app.add_option("--seeds", options.seeds, "as in 1-5 or 1,2,7-9")->capture_default_str();
  app.add_option("--out", options.grid.folder, "folder of the grid, new or begun")
      ->type_name("DIR")
      ->check(support::recordable_path());
  support::add_number(app, "--jobs", options.settings.jobs,
                      "runs side by side; the results are the same",
                      {.least = 1, .most = support::kMostThreads})
      ->capture_default_str();
  support::add_number(app, "--threads", options.settings.threads,
                      "of each run; 0: processors / jobs; the results are the same",
                      {.least = 0, .most = support::kMostThreads})
      ->capture_default_str();
  app.add_option("--shard", options.shard,
                 "run each N-th cell, from the I-th on; others run the rest into the same folder. "
                 "Ranks of mpirun share the cells without it")
      ->type_name("I/N");
  app.add_option("--table", options.table, "make the tables of this grid again, and run nothing")
      ->type_name("DIR");
  app.add_option("--verdict", options.verdict,
                 "print the table of results that were made elsewhere: a CSV file with the columns "
                 "activation, seed, accuracy; the first activation is what others are compared "
                 "with")
      ->type_name("FILE");
  app.add_flag("--quiet", options.settings.quiet, "print nothing but errors");
}

/// Refuses those of the program's flags that are given through ours.
void check_is_passed_on(const std::string& word) {
  const std::string flag = word.substr(0, word.find('='));
  const auto refuse = [&](const std::string& instead) {
    throw CLI::ValidationError(flag, "is given to each run by compare; " + instead);
  };
  if (flag == "--activation") refuse("use --activations");
  if (flag == "--seed") refuse("use --seeds");
  for (const char* own : {"--threads", "--out", "--quiet"})
    if (flag == own) refuse("give it before --");
  for (const char* other : {"--resume", "--info", "--dry-run", "--help", "-h"})
    if (flag == other) refuse("call the program itself for that");
}

/// What no single flag shows.
void check_command_line(const CLI::App& app, CommandLine& options) {
  auto& flags = options.settings.flags;
  flags = app.remaining();
  if (const auto dashes = std::ranges::find(flags, "--"); dashes != flags.end())
    flags.erase(dashes);  // what follows it is among the others already
  for (const char* only : {"--table", "--verdict"}) {
    if (app.count(only) == 0) continue;
    const std::string refusal = std::string("cannot be given with ") + only;
    for (const char* flag : {"--activations", "--out", "--program", "--seeds", "--jobs", "--shard"})
      if (app.count(flag) > 0) throw CLI::ValidationError(flag, refusal);
    if (app.count("--table") + app.count("--verdict") > 1)
      throw CLI::ValidationError("--verdict", "cannot be given with --table");
    if (!flags.empty()) throw CLI::ValidationError(flags[0], refusal);
    return;
  }
  for (const char* flag : {"--activations", "--out"})
    if (app.count(flag) == 0) throw CLI::RequiredError(flag);
  for (auto a = options.grid.activations.begin(); a != options.grid.activations.end(); ++a)
    if (std::find(options.grid.activations.begin(), a, *a) != a)
      throw CLI::ValidationError("--activations", *a + " is there twice");
  try {
    options.grid.seeds = parse_seeds(options.seeds);
  } catch (const Error& error) {
    throw CLI::ValidationError("--seeds", error.what());
  }
  try {
    if (!options.shard.empty()) options.settings.shard = parse_shard(options.shard);
  } catch (const Error& error) {
    throw CLI::ValidationError("--shard", error.what());
  }
  for (const std::string& word : flags) check_is_passed_on(word);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Trains a network with several activations and seeds, and compares them: mean ± standard\n"
      "deviation, and for each the difference to the first with its interval and p-value.",
      "compare");
  app.footer(footer());
  app.allow_extras();
  CommandLine options{
      .grid = {.program = program_names()[0], .date = support::current_time("%Y-%m-%d")}};
  add_flags(app, options);
  app.final_callback([&] { check_command_line(app, options); });
  return support::run_program(app, argc, argv, [&] {
    if (!options.table.empty()) {
      show_results(read_grid(options.table), options.settings.quiet);
      return 0;
    }
    if (!options.verdict.empty()) {
      const size_t columns =
          isatty(STDOUT_FILENO) ? support::terminal_columns() : std::numeric_limits<size_t>::max();
      std::cout << verdict(options.verdict, columns);
      return 0;
    }
    Communicator& ranks = Communicator::world();
    if (ranks.size() > 1) {
      check(options.shard.empty(),
            "--shard is for processes that know nothing of each other; "
            "these are ",
            ranks.size(), " ranks, which share the cells");
      options.settings.shard = {ranks.rank() + 1, ranks.size()};
    }
    options.grid.command =
        support::typed_command() + " " + support::shell_line({argv + 1, argv + argc});
    const int refused = check_flags(options.grid, options.settings);
    return refused ? refused : run_grid(options.grid, options.settings, ranks);
  });
}
