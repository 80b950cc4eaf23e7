#include "support/optimizer.h"

#include <cmath>

#include <pade/core/error.h>
#include <pade/optim/adam.h>
#include <pade/optim/clip.h>
#include <pade/optim/sgd.h>

namespace pade::support {

std::unique_ptr<Optimizer> make_optimizer(const TrainingOptions& options,
                                          const std::vector<Parameter>& parameters) {
  if (options.optimizer == "sgd")
    return std::make_unique<Sgd>(parameters, SgdOptions{.lr = options.lr,
                                                        .momentum = options.momentum,
                                                        .weight_decay = options.weight_decay,
                                                        .activation_lr = options.activation_lr});
  const AdamOptions adam{.lr = options.lr,
                         .weight_decay = options.weight_decay,
                         .activation_lr = options.activation_lr};
  if (options.optimizer == "adam") return std::make_unique<Adam>(parameters, adam);
  check(options.optimizer == "adamw", "unknown optimizer \"", options.optimizer, "\"");
  return std::make_unique<AdamW>(parameters, adam);
}

double limit_gradients(const std::vector<Parameter>& parameters, double clip) {
  return clip > 0 ? clip_grad_norm(parameters, clip) : grad_norm(parameters);
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
