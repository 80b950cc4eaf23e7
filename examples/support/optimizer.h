#pragma once

#include <memory>
#include <vector>

#include <pade/core/parameter.h>
#include <pade/optim/optimizer.h>
#include <pade/optim/schedule.h>

#include "support/training_options.h"

namespace pade::support {

/// What --optimizer, --lr, --momentum, --weight-decay, --activation-optimizer and --activation-lr
/// describe.
std::unique_ptr<Optimizer> make_optimizer(const TrainingOptions& options,
                                          const std::vector<Parameter>& parameters);
/// clip_grad_norm() where there is a --clip, and grad_norm() where it is 0. Where coefficients are
/// updated as weights are, theirs is limited with the weights'.
double limit_gradients(const TrainingOptions& options, const std::vector<Parameter>& parameters);
/// What --schedule, --warm-up and --epochs describe, as a factor on the learning rates.
Schedule make_schedule(const TrainingOptions& options);

}  // namespace pade::support
