#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <pade/core/parameter.h>
#include <pade/layers/module.h>
#include <pade/optim/optimizer.h>
#include <pade/optim/schedule.h>
#include <pade/optim/weight_average.h>

#include "support/training_options.h"

namespace pade::support {

/// What --optimizer, --lr, --momentum, --nesterov, --weight-decay, --lr-factors,
/// --activation-optimizer and --activation-lr describe.
std::unique_ptr<Optimizer> make_optimizer(const TrainingOptions& options,
                                          const std::vector<Parameter>& parameters);
/// clip_grad_norm() where there is a --clip, and grad_norm() where it is 0. Where coefficients are
/// updated as weights are, theirs is limited with the weights'.
double limit_gradients(const TrainingOptions& options, const std::vector<Parameter>& parameters);
/// What --schedule, --warm-up and --epochs describe, as a factor on the learning rates.
Schedule make_schedule(const TrainingOptions& options);
/// The schedule of so many epochs that a text describes: constant, cosine, step, or triangle with
/// the keys start, peak (a share of the epochs) and end. Throws Error on anything else.
Schedule schedule_named(const std::string& text, double epochs);

/// What --average or --lookahead asks for; nothing without both.
std::optional<WeightAverage> make_average(const TrainingOptions& options, Module& network);
/// After step number `step`, from 1, of `steps`. A Lookahead's decay is .95^n · (step / steps)³, n
/// being the steps between its own (Jordan 2024, https://arxiv.org/abs/2404.00498).
void update_average(WeightAverage& average, const TrainingOptions& options, int64_t step,
                    int64_t steps);

/// Stops what --learn-until lets learn for so many epochs, or fewer, only.
void freeze_parameters(const TrainingOptions& options, Module& network, double epochs_done);

}  // namespace pade::support
