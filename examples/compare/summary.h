#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compare/cell.h"
#include "compare/statistics.h"

namespace pade::compare {

/// What a grid says of one activation, over its finished cells. Accuracies are shares of 1.
struct ActivationSummary {
  std::string activation;
  int failed = 0, unfinished = 0;                               ///< cells
  Sample test_accuracy, test_loss, train_accuracy, train_loss;  ///< after the last epoch
  /// After the epoch that was best for the test images, which makes it higher than it would be for
  /// others.
  Sample best_test_accuracy;
  Sample seconds_per_epoch;      ///< training and testing
  PairedDifference difference;   ///< of test_accuracy to the first activation's, by seed
  std::optional<double> p_holm;  ///< its p-value, corrected for the number of activations compared
  /// The first epoch whose test accuracy is at least the first activation's mean test_accuracy, of
  /// the cells that come to it.
  Sample epochs_to_baseline;
  std::optional<int64_t> parameters;
  std::vector<Sample> curve;   ///< test accuracy after each epoch
  std::vector<double> finals;  ///< test_accuracy of each cell
};

/// In the order of grid.activations; results are in the order of grid.cells().
std::vector<ActivationSummary> summarise(const Grid& grid, const std::vector<CellResult>& results);

}  // namespace pade::compare
