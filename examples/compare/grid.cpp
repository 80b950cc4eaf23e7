#include "compare/grid.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/file.h>

#include "support/json_file.h"
#include "support/run_folder.h"

namespace pade::compare {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostSeeds = 10000;

uint64_t parse_seed(std::string_view digits, const std::string& text) {
  uint64_t seed = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, seed);
  check(error == std::errc() && stop == end, "expected seeds as in 1-5 or 1,2,7-9, got \"", text,
        "\"");
  return seed;
}

/// Puts all of the text into a number above 0, and says whether that is what it is.
bool read_number(std::string_view text, int& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size() && number >= 1;
}

}  // namespace

const std::vector<std::string>& program_names() {
  static const std::vector<std::string> names{"lenet", "cifar"};
  return names;
}

Options common_options(const std::string& json) {
  const Json object = Json::parse(json);
  Options options;
  for (const auto& [name, value] : object.items())
    if (name != "activation" && name != "seed" && name != "threads" && name != "data")
      options.emplace_back(name, value.dump());
  return options;
}

std::vector<Cell> Grid::cells() const {
  std::vector<Cell> cells;
  std::set<std::string> paths;
  for (uint64_t seed : seeds)
    for (const std::string& activation : activations) {
      const std::string path =
          folder + "/cells/" + support::as_file_name(activation) + "-seed" + std::to_string(seed);
      check(paths.insert(path).second, "two activations would share the folder ", path, ", one is ",
            activation, "; compare them in two grids, or write one in another way");
      cells.push_back({activation, seed, path});
    }
  return cells;
}

std::string Grid::option(const std::string& name) const {
  for (const auto& [known, value] : options)
    if (known == name) return value;
  return "null";
}

void write_grid(const Grid& grid) {
  Json json{{"program", grid.program}, {"activations", grid.activations},
            {"seeds", grid.seeds},     {"command", grid.command},
            {"date", grid.date},       {"options", Json::object()}};
  for (const auto& [name, value] : grid.options) json["options"][name] = Json::parse(value);
  write_file_atomically(grid.folder + "/grid.json", json.dump(2) + "\n");
}

Grid read_grid(const std::string& folder) {
  const std::string path = folder + "/grid.json";
  check(std::filesystem::exists(path), path,
        ": there is no such file, so that folder holds no grid that compare has run");
  const Json json = support::read_json(path, "a record of a grid");
  try {
    Grid grid{.folder = folder,
              .program = json.at("program"),
              .activations = json.at("activations"),
              .seeds = json.at("seeds"),
              .options = common_options(json.at("options").dump()),
              .command = json.at("command"),
              .date = json.at("date")};
    check(!grid.activations.empty() && !grid.seeds.empty(), path, ": names no cells");
    return grid;
  } catch (const Json::exception& error) {
    fail(path, ": is not a record of a grid: ", error.what());
  }
}

std::vector<uint64_t> parse_seeds(const std::string& text) {
  std::vector<uint64_t> seeds;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const size_t dash = item.find('-');
    const uint64_t first = parse_seed(item.substr(0, dash), text);
    const uint64_t last =
        dash == std::string::npos ? first : parse_seed(item.substr(dash + 1), text);
    check(first <= last, "the seeds ", item, " run backwards");
    check(last - first < kMostSeeds - seeds.size(), "more than ", kMostSeeds, " seeds in ", text);
    for (uint64_t count = 0; count <= last - first; ++count) {
      const uint64_t seed = first + count;
      check(std::find(seeds.begin(), seeds.end(), seed) == seeds.end(), "seed ", seed,
            " is there twice in ", text);
      seeds.push_back(seed);
    }
  }
  check(!seeds.empty(), "expected seeds as in 1-5 or 1,2,7-9, got none");
  return seeds;
}

Shard parse_shard(const std::string& text) {
  Shard shard;
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string_view view = text;
  check(slash < text.size() && read_number(view.substr(0, slash), shard.index) &&
            read_number(view.substr(slash + 1), shard.count) && shard.index <= shard.count,
        "expected I/N with I from 1 to N, as in 2/8, got \"", text, "\"");
  return shard;
}

}  // namespace pade::compare
