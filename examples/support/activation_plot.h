#pragma once

#include <string>

#include <pade/layers/module.h>

#include "support/run_folder.h"

namespace pade::support {

/// Draws every rational layer of the run, before training (the rows of epoch 0 in activations.csv)
/// and as it is now, into activations.svg. gnuplot does it, from activations.gp, which holds the
/// curves and is written in any case. Returns a line that says what there is to look at; empty when
/// the network has no rational layers.
std::string plot_activations(const RunFolder& folder, Module& network);

}  // namespace pade::support
