#pragma once

#include <string>

#include <pade/layers/module.h>

#include "support/run_folder.h"

namespace pade::support {

/// Writes report.html: the run's options and figures, its training curves, and every activation
/// with the histogram of its inputs, epoch by epoch, with sliders for learned coefficients, in one
/// page that needs no network and no other file. All of it comes from `record`, which is what
/// run.json is or is going to be, metrics.csv, activations.csv and inputs.csv; the network says
/// which activations it has. Without final figures in the record, the page says how far the run
/// is, and loads itself again every few seconds. Throws Error when a file does not fit the network.
void write_report(const RunFolder& folder, Module& network, const std::string& record);

}  // namespace pade::support
