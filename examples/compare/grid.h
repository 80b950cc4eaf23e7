#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pade::compare {

/// The programs that can be compared; they have the flags of support/options.h.
const std::vector<std::string>& program_names();

/// One run of a grid.
struct Cell {
  std::string activation;
  uint64_t seed = 0;
  std::string path;  ///< its run folder

  std::string name() const { return activation + ", seed " + std::to_string(seed); }
  /// Says why it failed, while it has.
  std::string failure_file() const { return path + ".failed.txt"; }
};

/// The part of a grid's cells that one process runs: each count-th, from the index-th on.
struct Shard {
  int index = 1, count = 1;

  bool has(size_t cell) const {
    return cell % static_cast<size_t>(count) == static_cast<size_t>(index - 1);
  }
};

/// Training options by name, as JSON has them, in the order of run.json.
using Options = std::vector<std::pair<std::string, std::string>>;
/// Those that every cell of a grid has alike: without activation and seed, and without threads and
/// data, on which the result does not depend. `json` is an object.
Options common_options(const std::string& json);

/// What is compared: every activation with every seed, in runs that are otherwise alike. The first
/// activation is the one that the others are compared with.
struct Grid {
  std::string folder;
  std::string program;
  std::vector<std::string> activations;
  std::vector<uint64_t> seeds;
  Options options;
  std::string command;  ///< that made it, ready for a shell
  std::string date;     ///< of the command

  /// Seed by seed, so that the first results can be compared. A cell's folder is
  /// `folder/cells/<activation>-seed<N>`. Throws Error when two of them have the same one.
  std::vector<Cell> cells() const;
  /// One of `options`; the JSON `null` where there is none of that name.
  std::string option(const std::string& name) const;
};

/// Writes `folder/grid.json`, or reads it. Reading throws Error when there is none.
void write_grid(const Grid& grid);
Grid read_grid(const std::string& folder);

/// "1-3,7" as 1, 2, 3, 7. Throws Error on anything else, and on a seed that comes twice.
std::vector<uint64_t> parse_seeds(const std::string& text);

/// "2/8" as the second of eight. Throws Error on anything else.
Shard parse_shard(const std::string& text);

}  // namespace pade::compare
