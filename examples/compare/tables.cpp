#include "compare/tables.h"

#include <optional>
#include <utility>

#include <pade/core/io/file.h>

#include "compare/csv_writer.h"
#include "compare/markdown.h"

namespace pade::compare {
namespace {

std::string activations_csv(const std::vector<ActivationSummary>& summaries) {
  CsvWriter csv;
  csv << "activation"
      << "n"
      << "failed"
      << "unfinished"
      << "parameters";
  const std::pair<const char*, Sample ActivationSummary::*> samples[] = {
      {"test_accuracy", &ActivationSummary::test_accuracy},
      {"test_loss", &ActivationSummary::test_loss},
      {"train_accuracy", &ActivationSummary::train_accuracy},
      {"train_loss", &ActivationSummary::train_loss},
      {"best_test_accuracy", &ActivationSummary::best_test_accuracy},
      {"seconds_per_epoch", &ActivationSummary::seconds_per_epoch},
      {"epochs_to_baseline", &ActivationSummary::epochs_to_baseline}};
  for (const auto& [name, sample] : samples)
    for (const char* figure : {"_n", "_mean", "_std", "_half_width"})
      csv << name + std::string(figure);
  csv << "difference_n"
      << "difference_mean"
      << "difference_low"
      << "difference_high"
      << "p"
      << "p_holm"
      << "seeds_needed"
      << "resolvable";
  csv.end_row();
  const auto mean = [](int n, double value) {
    return n > 0 ? std::optional<double>(value) : std::nullopt;
  };
  for (const ActivationSummary& summary : summaries) {
    csv << summary.activation << summary.test_accuracy.n << summary.failed << summary.unfinished
        << (summary.parameters ? std::to_string(*summary.parameters) : "");
    for (const auto& [name, member] : samples) {
      const Sample& sample = summary.*member;
      csv << sample.n << mean(sample.n, sample.mean) << sample.std << sample.half_width;
    }
    const PairedDifference& pairs = summary.difference;
    csv << pairs.n << mean(pairs.n, pairs.mean) << pairs.low << pairs.high << pairs.p
        << summary.p_holm << (pairs.pairs_needed ? std::to_string(*pairs.pairs_needed) : "")
        << pairs.resolvable;
    csv.end_row();
  }
  return csv.text();
}

std::string curves_csv(const std::vector<ActivationSummary>& summaries) {
  CsvWriter csv;
  csv << "activation"
      << "epoch"
      << "n"
      << "test_accuracy_mean"
      << "test_accuracy_std";
  csv.end_row();
  for (const ActivationSummary& summary : summaries)
    for (size_t epoch = 0; epoch < summary.curve.size(); ++epoch) {
      const Sample& sample = summary.curve[epoch];
      csv << summary.activation << static_cast<int64_t>(epoch + 1) << sample.n << sample.mean
          << sample.std;
      csv.end_row();
    }
  return csv.text();
}

std::string cells_csv(const std::vector<CellResult>& results) {
  CsvWriter csv;
  csv << "activation"
      << "seed"
      << "state"
      << "epochs"
      << "train_loss"
      << "train_accuracy"
      << "test_loss"
      << "test_accuracy"
      << "best_test_accuracy"
      << "seconds_per_epoch"
      << "parameters"
      << "path"
      << "message";
  csv.end_row();
  for (const CellResult& result : results) {
    csv << result.cell.activation << std::to_string(result.cell.seed);
    if (result.state == CellState::finished)
      csv << "finished" << result.epochs << result.train_loss << result.train_accuracy
          << result.test_loss << result.test_accuracy << result.best_test_accuracy
          << result.seconds_per_epoch << result.parameters << result.cell.path << "";
    else
      csv << (result.failure.empty() ? "unfinished" : "failed") << result.epochs << ""
          << ""
          << ""
          << ""
          << ""
          << ""
          << "" << result.cell.path << result.failure;
    csv.end_row();
  }
  return csv.text();
}

}  // namespace

void write_tables(const Grid& grid, const std::vector<CellResult>& results,
                  const std::vector<ActivationSummary>& summaries) {
  write_file_atomically(grid.folder + "/cells.csv", cells_csv(results));
  write_file_atomically(grid.folder + "/accuracy.csv", curves_csv(summaries));
  write_file_atomically(grid.folder + "/table.csv", activations_csv(summaries));
  write_file_atomically(grid.folder + "/table.md", markdown_page(grid, results, summaries));
}

}  // namespace pade::compare
