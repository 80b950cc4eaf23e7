#include "support/optimizer.h"

#include <cmath>
#include <optional>
#include <utility>

#include <pade/core/error.h>
#include <pade/optim/adam.h>
#include <pade/optim/clip.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

namespace pade::support {
namespace {

bool is_same_for_activations(const TrainingOptions& options) {
  return options.activation_optimizer == "same";
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const TrainingOptions& options,
                                          const std::vector<Parameter>& parameters) {
  std::optional<double> activation_lr = options.activation_lr;
  if (is_same_for_activations(options) && !activation_lr) activation_lr = options.lr;
  auto groups = default_groups(parameters, options.lr, options.weight_decay, activation_lr);
  if (is_same_for_activations(options))
    for (ParameterGroup& group : groups) group.rule = UpdateRule::own;
  if (options.optimizer == "sgd")
    return std::make_unique<Sgd>(std::move(groups), SgdOptions{.momentum = options.momentum});
  if (options.optimizer == "adam") return std::make_unique<Adam>(std::move(groups), AdamOptions{});
  check(options.optimizer == "adamw", "unknown optimizer \"", options.optimizer, "\"");
  return std::make_unique<AdamW>(std::move(groups), AdamOptions{});
}

double limit_gradients(const TrainingOptions& options, const std::vector<Parameter>& parameters) {
  if (options.clip == 0) return grad_norm(parameters);
  if (!is_same_for_activations(options)) return clip_grad_norm(parameters, options.clip);
  std::vector<Parameter> all = parameters;
  for (Parameter& parameter : all) parameter.role = ParameterRole::weight;
  return clip_grad_norm(all, options.clip);
}

Schedule make_schedule(const TrainingOptions& options) {
  const double epochs = static_cast<double>(options.epochs);
  const Schedule schedule = options.schedule == "cosine" ? Schedule::cosine(epochs)
                            : options.schedule == "step"
                                ? Schedule::step(std::ceil(epochs / 3), 0.1)
                                : Schedule::constant();
  return schedule.with_warm_up(options.warm_up);
}

}  // namespace pade::support
