#pragma once

#include <limits>
#include <string>
#include <vector>

#include "compare/cell.h"
#include "compare/summary.h"

namespace pade::compare {

/// The table for readers: a row per activation, in Markdown whose columns line up. Where it is
/// wider than so many characters, the columns that do not fit follow in tables below it.
std::string markdown_table(const Grid& grid, const std::vector<ActivationSummary>& summaries,
                           size_t columns = std::numeric_limits<size_t>::max());

/// Of that table, the columns that follow from accuracies alone.
std::string markdown_verdict(const Grid& grid, const std::vector<ActivationSummary>& summaries,
                             size_t columns = std::numeric_limits<size_t>::max());

/// That table, how its figures are computed, and all that running it again needs.
std::string markdown_page(const Grid& grid, const std::vector<CellResult>& results,
                          const std::vector<ActivationSummary>& summaries);

}  // namespace pade::compare
