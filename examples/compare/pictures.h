#pragma once

#include <vector>

#include "compare/summary.h"

namespace pade::compare {

/// Draws into the grid's folder:
///   accuracy.svg   mean test accuracy after each epoch, in a band of ± one standard deviation
///   final.svg      the last accuracies: every run a dot, means with their 95 % intervals
/// gnuplot does it, from .gp files that hold the figures and are written in any case. Returns false
/// when there is no picture, for want of gnuplot. Without a finished cell there is nothing to draw.
bool draw_pictures(const Grid& grid, const std::vector<ActivationSummary>& summaries);

}  // namespace pade::compare
