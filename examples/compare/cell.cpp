#include "compare/cell.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/io/folder_lock.h>
#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>

#include "support/csv.h"
#include "support/json_file.h"

namespace pade::compare {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// "epochs 2 instead of 3", for everything that differs.
std::string differences(const Options& found, const Options& asked) {
  std::set<std::string> names;
  TextStream out;
  const auto value_in = [](const Options& options, const std::string& name) -> std::string {
    for (const auto& [known, value] : options)
      if (known == name) return value;
    return "null";
  };
  for (const Options* options : {&asked, &found})
    for (const auto& [name, value] : *options) {
      const std::string is = value_in(found, name), should_be = value_in(asked, name);
      if (is == should_be || !names.insert(name).second) continue;
      out << (names.size() > 1 ? ", " : "") << name << ' ' << is << " instead of " << should_be;
    }
  return out.str();
}

void check_belongs(const Json& record, const Grid& grid, const Cell& cell) {
  Options found = common_options(record.at("options").dump()), asked = grid.options;
  for (const char* name : {"activation", "seed"})
    found.emplace_back(name, record.at("options").at(name).dump());
  asked.emplace_back("activation", Json(cell.activation).dump());
  asked.emplace_back("seed", Json(cell.seed).dump());
  found.emplace_back("program", record.at("program").dump());
  asked.emplace_back("program", Json(grid.program).dump());
  const std::string different = differences(found, asked);
  check(
      different.empty(), cell.path, ": was run with ", different,
      "; give the options it was run with, or another --out for a grid of its own, or remove that "
      "folder to have it run again");
}

/// Of a machine that trained it, as "CPU, 2 threads".
std::string machine_of(const Json& machine) {
  std::string text = machine.at("cpu");
  if (machine.contains("gpu")) text += ", " + machine.at("gpu").get<std::string>();
  TextStream line;
  line << text << ", " << counted(machine.at("threads").get<int>(), "thread");
  return line.str();
}

void read_metrics(CellResult& result) {
  constexpr size_t kTrainLoss = 2, kTestAccuracy = 5, kSeconds = 6;  // columns
  const support::CsvFile metrics(result.cell.path + "/metrics.csv");
  double seconds = 0;
  for (const support::CsvFile::Row& row : metrics.rows()) {
    result.last_train_loss = metrics.number(row, kTrainLoss);
    result.test_accuracies.push_back(metrics.number(row, kTestAccuracy));
    seconds += metrics.number(row, kSeconds);
  }
  result.epochs = static_cast<int64_t>(metrics.rows().size());
  if (result.epochs == 0) return;
  result.seconds_per_epoch = seconds / static_cast<double>(result.epochs);
}

/// JSON has no NaN and no infinity; run.json says null then.
double number(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

void read_record(CellResult& result, const Json& record) {
  const Json& final = record.at("final");
  result.train_loss = number(final.at("train_loss"));
  result.train_accuracy = number(final.at("train_accuracy"));
  result.test_loss = number(final.at("test_loss"));
  result.test_accuracy = number(final.at("test_accuracy"));
  if (!result.test_accuracies.empty()) {  // metrics.csv has fewer digits
    result.test_accuracies.back() = result.test_accuracy;
    result.best_test_accuracy = *std::ranges::max_element(result.test_accuracies);
  }
  result.parameters = record.at("parameters");
  result.commit = record.at("build").at("commit");
  result.machine = machine_of(record.at("machine"));
}

}  // namespace

CellResult read_cell(const Grid& grid, const Cell& cell) {
  CellResult result;
  result.cell = cell;
  result.failure = read_file_if_there(cell.failure_file());
  while (result.failure.ends_with('\n')) result.failure.pop_back();
  if (fs::exists(cell.path + "/state.safetensors")) result.state = CellState::begun;
  const std::string path = cell.path + "/run.json";
  if (!fs::exists(path)) return result;
  const Json record = support::read_json(path, "a run record");
  try {
    check_belongs(record, grid, cell);
    read_metrics(result);
    if (!record.contains("final")) return result;
    read_record(result, record);
  } catch (const Json::exception& error) {
    fail(path, ": is not a run record: ", error.what(),
         "; remove that folder to have it run again");
  }
  check(std::to_string(result.epochs) == grid.option("epochs"), cell.path, "/metrics.csv: has ",
        counted(result.epochs, "epoch"), " instead of ", grid.option("epochs"),
        "; remove that folder to have it run again");
  result.state = CellState::finished;
  return result;
}

std::vector<CellResult> read_cells(const Grid& grid) {
  std::vector<CellResult> results;
  for (const Cell& cell : grid.cells()) results.push_back(read_cell(grid, cell));
  return results;
}

void clear_cell(const Cell& cell) {
  if (!fs::exists(cell.path)) return;
  check(fs::is_directory(cell.path), cell.path, ": is not a folder; move it away");
  const FolderLock lock(cell.path, std::chrono::seconds(0));
  for (const auto& entry : fs::directory_iterator(cell.path)) {
    const std::string name = entry.path().filename();
    check(name == FolderLock::kName || name == "run.json" || name == "report.html" ||
              name.ends_with(".csv") || name.ends_with(".safetensors") || name.ends_with(".tmp") ||
              name.starts_with("events.out.tfevents."),
          entry.path().string(), ": is not a file of a run that has just begun; move it away");
  }
  fs::remove_all(cell.path);
}

}  // namespace pade::compare
