#pragma once

#include <string>
#include <vector>

#include "compare/cell.h"
#include "compare/summary.h"

namespace pade::compare {

/// Writes, whole or not at all, into the grid's folder:
///   table.md      markdown_page()
///   table.csv     all figures of each activation, with the digits of a double; empty where there
///                 is none
///   accuracy.csv  test accuracy after each epoch
///   cells.csv     every cell
void write_tables(const Grid& grid, const std::vector<CellResult>& results,
                  const std::vector<ActivationSummary>& summaries);

}  // namespace pade::compare
