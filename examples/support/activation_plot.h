#pragma once

#include <string>

#include <pade/layers/module.h>

#include "support/run_folder.h"

namespace pade::support {

/// Draws every learned activation of the run, before training and after the last epoch (the rows of
/// activations.csv), over the range that its inputs had, into activations.svg; of one with several
/// groups the mean, and each of them faint. gnuplot does it, from activations.gp, which holds the
/// curves and is written in any case. Returns a line that says what there is to look at; empty when
/// nothing is learned.
std::string plot_activations(const RunFolder& folder, Module& network);

}  // namespace pade::support
