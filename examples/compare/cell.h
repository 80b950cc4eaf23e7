#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare/grid.h"

namespace pade::compare {

enum class CellState {
  absent,    ///< to be run from the start
  begun,     ///< has a checkpoint to go on from
  finished,  ///< has final figures
};

/// What a cell's run folder says.
struct CellResult {
  Cell cell;
  CellState state = CellState::absent;
  std::string failure;         ///< why its last run failed; empty when it did not
  int64_t epochs = 0;          ///< completed
  double last_train_loss = 0;  ///< of the last of them

  // Of a finished one:
  double train_loss = 0, train_accuracy = 0, test_loss = 0, test_accuracy = 0;
  std::vector<double> test_accuracies;  ///< after each epoch
  double best_test_accuracy = 0;        ///< the largest of them
  double seconds_per_epoch = 0;         ///< training and testing
  int64_t parameters = 0;
  std::string commit, machine;
};

/// Reads it. Throws Error when the folder belongs to another run: another program, activation, seed
/// or option than the grid has, which the message names.
CellResult read_cell(const Grid& grid, const Cell& cell);
/// All of them, in the order of grid.cells().
std::vector<CellResult> read_cells(const Grid& grid);

/// Removes what a run has left that was stopped before its first checkpoint. Throws Error, and
/// removes nothing, when the folder holds a file that such a run does not write.
void clear_cell(const Cell& cell);

}  // namespace pade::compare
