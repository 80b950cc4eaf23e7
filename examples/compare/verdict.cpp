#include "compare/verdict.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <pade/core/error.h>

#include "compare/cell.h"
#include "compare/markdown.h"
#include "compare/summary.h"
#include "support/csv.h"

namespace pade::compare {
namespace {

/// The number of the column with one of these names.
size_t column_of(const support::CsvFile& file, const std::string& path,
                 std::initializer_list<const char*> names) {
  const auto& header = file.header();
  for (const char* name : names)
    if (const auto found = std::ranges::find(header, name); found != header.end())
      return static_cast<size_t>(found - header.begin());
  std::string there;
  for (const std::string& name : header) there += (there.empty() ? "" : ", ") + name;
  fail(path, ": has no column \"", *names.begin(), "\", but ", there.empty() ? "none" : there);
}

uint64_t seed_in(const std::string& text, const std::string& path) {
  uint64_t seed = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  check(error == std::errc() && stop == text.data() + text.size(), path,
        ": expected a whole number as the seed, got \"", text, "\"");
  return seed;
}

/// What the runs of the file have come to; those without an accuracy are left out, as cells.csv has
/// them where a run is not finished.
std::vector<CellResult> read_results(const std::string& path) {
  check(std::filesystem::exists(path), path, ": there is no such file");
  const support::CsvFile file(path);
  const size_t activation = column_of(file, path, {"activation"}),
               seed = column_of(file, path, {"seed"}),
               accuracy = column_of(file, path, {"accuracy", "test_accuracy"});
  std::vector<CellResult> results;
  std::set<std::pair<std::string, uint64_t>> known;
  double largest = 0;
  for (const support::CsvFile::Row& row : file.rows()) {
    if (row.size() <= 1 && (row.empty() || row[0].empty())) continue;
    CellResult result;
    result.cell = {file.text(row, activation), seed_in(file.text(row, seed), path), ""};
    if (file.text(row, accuracy).empty()) continue;
    check(known.emplace(result.cell.activation, result.cell.seed).second, path, ": ",
          result.cell.name(), " is there twice");
    result.test_accuracy = file.number(row, accuracy);
    check(result.test_accuracy >= 0 && result.test_accuracy <= 100, path, ": the accuracy of ",
          result.cell.name(), " is ", result.test_accuracy, ", which is no share and no percent");
    largest = std::max(largest, result.test_accuracy);
    result.state = CellState::finished;
    results.push_back(std::move(result));
  }
  check(!results.empty(), path, ": has no accuracies");
  if (largest > 1)
    for (CellResult& result : results) result.test_accuracy /= 100;
  return results;
}

}  // namespace

std::string verdict(const std::string& path, size_t columns) {
  const std::vector<CellResult> results = read_results(path);
  Grid grid;
  for (const CellResult& result : results)
    if (std::ranges::find(grid.activations, result.cell.activation) == grid.activations.end())
      grid.activations.push_back(result.cell.activation);
  return markdown_verdict(grid, summarise(grid, results), columns);
}

}  // namespace pade::compare
