#include "compare/run_grid.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <list>
#include <optional>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/io/folder_lock.h>
#include <pade/core/numbers.h>

#include "compare/cell.h"
#include "compare/child_process.h"
#include "compare/display.h"
#include "compare/markdown.h"
#include "compare/pictures.h"
#include "compare/tables.h"
#include "support/interrupt.h"
#include "support/terminal.h"

namespace pade::compare {
namespace {

namespace fs = std::filesystem;

constexpr int kPauseInMicroseconds = 20000;  // between looks at the children
/// For a grid's folder: the runs of a compare that was killed hold its lock until each of them has
/// written its last checkpoint.
constexpr std::chrono::seconds kPatience{5};
/// For that of a moment in which a shard reads or writes what all have in common.
constexpr std::chrono::minutes kPatienceWithShards{2};

/// While in scope, this process runs its shard of the grid, and no other does.
class ShardLock {
 public:
  /// Throws Error when another process has it, or runs a shard that is one of another number.
  ShardLock(const std::string& folder, const Shard& shard)
      : grid_(folder), folders_(grid_ / "shards"), own_(folders_ / name_of(shard)) {
    const FolderLock grid(grid_, shard.count > 1 ? kPatienceWithShards : kPatience);
    fs::create_directories(own_);
    for (const auto& entry : fs::directory_iterator(folders_)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(name_of(shard).substr(name_of(shard).find('-')))) continue;
      const FolderLock other(entry.path(), std::chrono::seconds(0));
    }
    lock_.emplace(own_, kPatience);
  }
  ~ShardLock() {
    lock_.reset();
    try {
      // Nobody looks through the folders meanwhile.
      const FolderLock grid(grid_, kPatienceWithShards);
      fs::remove(own_);
      if (fs::is_empty(folders_)) fs::remove(folders_);
    } catch (const std::exception&) {  // they stay, and are in nobody's way
    }
  }
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

 private:
  static std::string name_of(const Shard& shard) {
    return std::to_string(shard.index) + "-of-" + std::to_string(shard.count);
  }

  const fs::path grid_, folders_, own_;
  std::optional<FolderLock> lock_;
};

/// The runs of a grid while they run.
class Runner {
 public:
  Runner(const Grid& grid, const RunSettings& settings, const std::vector<CellResult>& results)
      : grid_(grid),
        settings_(settings),
        epochs_per_cell_(std::stoll(grid.option("epochs"))),
        epochs_(count_epochs(results)),
        display_(results.size(), count_finished(results),
                 epochs_per_cell_ * static_cast<int64_t>(results.size()), epochs_, settings.quiet) {
    for (const CellResult& result : results)
      if (result.state != CellState::finished) waiting_.push_back(result);
  }

  /// Returns false after an interrupt.
  bool run() {
    bool stopping = false;
    for (;;) {
      if (support::interrupted() && !stopping) {
        stopping = true;
        for (Run& run : running_) run.process.interrupt();
      }
      while (!stopping && !waiting_.empty() &&
             running_.size() < static_cast<size_t>(settings_.jobs)) {
        start(waiting_.front());
        waiting_.pop_front();
      }
      if (running_.empty()) return !stopping;
      for (auto run = running_.begin(); run != running_.end();) {
        const std::optional<int> exit_code = run->process.poll();
        if (exit_code) end(*run, *exit_code, stopping);
        run = exit_code ? running_.erase(run) : std::next(run);
      }
      refresh();
      show();
      usleep(kPauseInMicroseconds);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Run {
    Run(const CellResult& before, const std::vector<std::string>& command)
        : cell(before.cell), epochs_before(before.epochs), process(command) {}

    Cell cell;
    int64_t epochs_before;
    ChildProcess process;
  };

  static int64_t count_epochs(const std::vector<CellResult>& results) {
    int64_t epochs = 0;
    for (const CellResult& result : results) epochs += result.epochs;
    return epochs;
  }
  static size_t count_finished(const std::vector<CellResult>& results) {
    return std::ranges::count(results, CellState::finished, &CellResult::state);
  }

  void start(const CellResult& result) {
    fs::remove(result.cell.failure_file());
    try {
      if (result.state == CellState::absent) clear_cell(result.cell);
      running_.emplace_back(result, result.state == CellState::begun
                                        ? resume_command(grid_, settings_, result.cell)
                                        : start_command(grid_, settings_, result.cell));
    } catch (const Error& error) {
      fail_cell(result.cell, error.what());
    }
  }

  void end(const Run& run, int exit_code, bool stopping) {
    if (stopping && exit_code == support::kExitInterrupted) return;
    const CellResult result = read_cell(grid_, run.cell);
    epochs_ += result.epochs - run.epochs_before;
    if (exit_code != 0 || result.state != CellState::finished) {
      fail_cell(run.cell, failure_of(grid_.program, run.process.errors(), exit_code));
    } else {
      char figures[128];
      std::snprintf(figures, sizeof figures, ": test accuracy %.4f, train loss %.4f, %.1f s/epoch",
                    result.test_accuracy, result.train_loss, result.seconds_per_epoch);
      display_.finished(run.cell.name() + figures);
    }
    news_ = true;
  }

  /// The tables and pictures; at most once a second, as drawing takes a moment too.
  void refresh() {
    if (!news_ || Clock::now() - last_refresh_ < std::chrono::seconds(1)) return;
    last_refresh_ = Clock::now();
    if (write_results()) news_ = false;
  }

  /// Of several shards, one at a time writes the tables of all: false while another one does.
  bool write_results() const {
    std::optional<FolderLock> lock;
    try {
      lock.emplace(grid_.folder, std::chrono::seconds(0));
    } catch (const Error&) {
      return false;
    }
    show_results(grid_, true);
    return true;
  }

  void fail_cell(const Cell& cell, const std::string& message) {
    write_file_atomically(cell.failure_file(), message + "\n");
    display_.finished(cell.name() + ": failed");
    std::cerr << "compare: " << cell.name() << ": " << message << '\n';
  }

  void show() {
    if (!display_.due()) return;
    int64_t epochs = epochs_;
    std::vector<std::string> texts;
    for (const Run& run : running_) {
      const CellResult result = read_cell(grid_, run.cell);
      epochs += result.epochs - run.epochs_before;
      char figures[96];
      std::snprintf(figures, sizeof figures, ": %d/%d",
                    static_cast<int>(std::min(result.epochs + 1, epochs_per_cell_)),
                    static_cast<int>(epochs_per_cell_));
      texts.push_back(run.cell.name() + figures);
      if (result.epochs == 0) continue;
      std::snprintf(figures, sizeof figures, ", loss %.4f", result.last_train_loss);
      texts.back() += figures;
    }
    display_.update(epochs, texts);
  }

  const Grid& grid_;
  const RunSettings& settings_;
  std::list<CellResult> waiting_;
  std::list<Run> running_;
  int64_t epochs_per_cell_;
  int64_t epochs_;  // of all cells that are not running
  Display display_;
  bool news_ = false;  // that are in no table yet
  Clock::time_point last_refresh_{};
};

void print_start(const std::vector<CellResult>& results, const RunSettings& settings) {
  const auto count = [&](CellState state) {
    return std::ranges::count(results, state, &CellResult::state);
  };
  std::cout << counted(static_cast<int64_t>(results.size()), "run") << ": "
            << count(CellState::finished) << " finished, " << count(CellState::begun)
            << " to go on with, " << count(CellState::absent) << " to begin; " << settings.jobs
            << " at a time, " << counted(threads_per_run(settings), "thread") << " each\n"
            << std::flush;
}

}  // namespace

int run_grid(const Grid& grid, const RunSettings& settings, Communicator& ranks) {
  std::error_code error;
  fs::create_directories(grid.folder + "/cells", error);
  check(!error, grid.folder, ": cannot be made: ", error.message());
  const ShardLock shard(grid.folder, settings.shard);
  std::vector<CellResult> results;
  {
    const FolderLock lock(grid.folder, kPatienceWithShards);
    if (settings.shard.count == 1) {  // of a process on another machine they may be alive
      remove_abandoned_files(grid.folder);
      remove_abandoned_files(grid.folder + "/cells");
    }
    const std::vector<CellResult> all = read_cells(grid);
    for (size_t i = 0; i < all.size(); ++i)
      if (settings.shard.has(i)) results.push_back(all[i]);
    write_grid(grid);
  }
  if (!settings.quiet) print_start(results, settings);
  support::catch_interrupts();
  const bool complete = Runner(grid, settings, results).run();
  ranks.barrier();
  if (ranks.rank() > 0) return complete ? 0 : support::kExitInterrupted;
  int failed = 0;
  {
    const FolderLock lock(grid.folder, kPatienceWithShards);
    failed = show_results(grid, settings.quiet || !complete);
  }
  if (!complete) {
    std::cerr << "compare: interrupted; go on with: " << grid.command << '\n';
    return support::kExitInterrupted;
  }
  if (failed > 0)
    std::cerr << "compare: " << failed << " of " << grid.cells().size()
              << " runs failed; the same command tries them again\n";
  return failed > 0 ? 1 : 0;
}

int show_results(const Grid& grid, bool quiet) {
  const std::vector<CellResult> results = read_cells(grid);
  const std::vector<ActivationSummary> summaries = summarise(grid, results);
  write_tables(grid, results, summaries);
  const bool drawn = draw_pictures(grid, summaries);
  if (!quiet) {
    std::cout << '\n'
              << (isatty(STDOUT_FILENO)
                      ? markdown_table(grid, summaries, support::terminal_columns())
                      : markdown_table(grid, summaries))
              << "\ntables and pictures: " << grid.folder;
    if (!drawn) std::cout << " (gnuplot is missing or failed; with it, the .gp files draw them)";
    std::cout << '\n';
  }
  return static_cast<int>(std::ranges::count_if(results, [](const CellResult& result) {
    return result.state != CellState::finished && !result.failure.empty();
  }));
}

}  // namespace pade::compare
