#include "compare/summary.h"

#include <algorithm>
#include <map>
#include <utility>

namespace pade::compare {
namespace {

using Results = std::vector<const CellResult*>;

/// One figure of several cells.
template <class Figure>
std::vector<double> values_of(const Results& results, Figure figure) {
  std::vector<double> values;
  for (const CellResult* result : results) values.push_back(result->*figure);
  return values;
}

std::vector<Sample> mean_curve(const Results& results) {
  std::vector<Sample> curve;
  const size_t epochs = results.empty() ? 0 : results[0]->test_accuracies.size();
  for (size_t epoch = 0; epoch < epochs; ++epoch) {
    std::vector<double> values;
    for (const CellResult* result : results) values.push_back(result->test_accuracies[epoch]);
    curve.push_back(describe(values));
  }
  return curve;
}

PairedDifference difference_by_seed(const Results& results, const Results& baselines) {
  std::vector<double> values, baseline_values;
  for (const CellResult* result : results)
    for (const CellResult* baseline : baselines)
      if (baseline->cell.seed == result->cell.seed) {
        values.push_back(result->test_accuracy);
        baseline_values.push_back(baseline->test_accuracy);
      }
  return paired_difference(values, baseline_values);
}

/// Less than one image of millions, and more than the digits that metrics.csv leaves out.
constexpr double kRounding = 1e-8;

Sample epochs_until(double accuracy, const Results& results) {
  std::vector<double> epochs;
  for (const CellResult* result : results) {
    const auto& curve = result->test_accuracies;
    const auto reached =
        std::ranges::find_if(curve, [&](double a) { return a >= accuracy - kRounding; });
    if (reached != curve.end()) epochs.push_back(static_cast<double>(reached - curve.begin() + 1));
  }
  return describe(epochs);
}

ActivationSummary summary_of(const Results& finished) {
  ActivationSummary summary;
  summary.finals = values_of(finished, &CellResult::test_accuracy);
  summary.test_accuracy = describe(summary.finals);
  summary.test_loss = describe(values_of(finished, &CellResult::test_loss));
  summary.train_accuracy = describe(values_of(finished, &CellResult::train_accuracy));
  summary.train_loss = describe(values_of(finished, &CellResult::train_loss));
  summary.best_test_accuracy = describe(values_of(finished, &CellResult::best_test_accuracy));
  summary.seconds_per_epoch = describe(values_of(finished, &CellResult::seconds_per_epoch));
  summary.curve = mean_curve(finished);
  if (!finished.empty()) summary.parameters = finished[0]->parameters;
  return summary;
}

}  // namespace

std::vector<ActivationSummary> summarise(const Grid& grid, const std::vector<CellResult>& results) {
  std::map<std::string, Results> finished;
  for (const CellResult& result : results)
    if (result.state == CellState::finished) finished[result.cell.activation].push_back(&result);
  const Results& baselines = finished[grid.activations[0]];

  std::vector<ActivationSummary> summaries;
  std::vector<std::optional<double>> p_values;
  for (const std::string& activation : grid.activations) {
    const Results& mine = finished[activation];
    ActivationSummary summary = summary_of(mine);
    summary.activation = activation;
    for (const CellResult& result : results)
      if (result.cell.activation == activation && result.state != CellState::finished)
        ++(result.failure.empty() ? summary.unfinished : summary.failed);
    if (&mine != &baselines) summary.difference = difference_by_seed(mine, baselines);
    if (!baselines.empty())
      summary.epochs_to_baseline = epochs_until(
          summaries.empty() ? summary.test_accuracy.mean : summaries[0].test_accuracy.mean, mine);
    p_values.push_back(summary.difference.p);
    summaries.push_back(std::move(summary));
  }
  const auto corrected = holm(p_values);
  for (size_t i = 0; i < summaries.size(); ++i) summaries[i].p_holm = corrected[i];
  return summaries;
}

}  // namespace pade::compare
