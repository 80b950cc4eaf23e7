#pragma once

#include <pade/core/device.h>
#include <pade/data/open_dataset.h>
#include <pade/layers/module.h>

#include "support/training_options.h"

namespace pade::support {

/// Does to a network that was just made what options.weights, rationalise and train ask for:
/// loads a file by names (load_network()), puts in the place of every activation a rational
/// function that is fitted to it on the inputs which it has for 2,000 training images
/// (replace_activations()), and leaves only the activations' coefficients trainable. Prints what
/// became of each activation, and the accuracy on the test images before and after, unless
/// options.quiet.
///
/// Call it before parameters are asked for. A run that is resumed does the same again, so the file
/// must still be there. Throws Error as those functions do, and where nothing is left to train.
void start_from_pretrained(Module& network, const TrainingOptions& options,
                           const data::DatasetSplits& splits, Device device);

}  // namespace pade::support
