#include "support/optimizer.h"

#include <cmath>
#include <string>
#include <utility>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/layers/spec.h>
#include <pade/optim/adam.h>
#include <pade/optim/clip.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

#include "support/numbers_by_name.h"

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
  const std::vector<NumberByName> factors = numbers_by_name(options.lr_factors);
  check_names("--lr-factors", factors, parameters);
  check_names("--learn-until", numbers_by_name(options.learn_until), parameters);
  for (const NumberByName& factor : factors)
    groups = with_lr_factor(std::move(groups), factor.number,
                            [&](const Parameter& parameter) { return factor.is_of(parameter); });
  if (options.optimizer == "sgd")
    return std::make_unique<Sgd>(
        std::move(groups), SgdOptions{.momentum = options.momentum, .nesterov = options.nesterov});
  check(!options.nesterov, "--nesterov is for --optimizer sgd");
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
  return schedule_named(options.schedule, static_cast<double>(options.epochs))
      .with_warm_up(options.warm_up);
}

Schedule schedule_named(const std::string& text, double epochs) {
  const Spec spec(text, "schedule");
  check_known_name("schedule", spec.name(), {"constant", "cosine", "step", "triangle"});
  const bool is_triangle = spec.name() == "triangle";
  spec.allow_keys(is_triangle ? std::vector<std::string>{"start", "peak", "end"}
                              : std::vector<std::string>{});
  if (is_triangle)
    return Schedule::triangle(epochs, spec.number("start", 0), spec.number("peak", 0.5) * epochs,
                              spec.number("end", 0));
  return spec.name() == "cosine" ? Schedule::cosine(epochs)
         : spec.name() == "step" ? Schedule::step(std::ceil(epochs / 3), 0.1)
                                 : Schedule::constant();
}

std::optional<WeightAverage> make_average(const TrainingOptions& options, Module& network) {
  check(options.average == 0 || options.lookahead == 0,
        "--average and --lookahead each keep an average of the weights; choose one");
  if (options.average == 0 && options.lookahead == 0) return std::nullopt;
  return std::optional<WeightAverage>(std::in_place, network.state(), options.average);
}

void update_average(WeightAverage& average, const TrainingOptions& options, int64_t step,
                    int64_t steps) {
  const int64_t between = options.lookahead;
  if (between == 0) return average.update();
  if (step % between != 0) return;
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  average.pull_back(std::pow(0.95, between) * done * done * done);
}

void freeze_parameters(const TrainingOptions& options, Module& network, double epochs_done) {
  for (const NumberByName& until : numbers_by_name(options.learn_until))
    if (epochs_done >= until.number)
      network.freeze([&](const Parameter& parameter) { return until.is_of(parameter); });
}

}  // namespace pade::support
