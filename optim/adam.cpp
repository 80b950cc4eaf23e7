#include <utility>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/optim/adam.h>
#include <pade/optim/adam_rule.h>
#include <pade/optim/default_groups.h>

namespace pade {
namespace {

std::vector<ParameterGroup> groups_of(const std::vector<Parameter>& parameters,
                                      const AdamOptions& options) {
  return default_groups(parameters, options.lr, options.weight_decay, options.activation_lr);
}

}  // namespace

const std::vector<std::string>& adam_slot_names() {
  static const std::vector<std::string> names{"first_moment", "second_moment"};
  return names;
}

std::vector<UpdateTask<AdamUpdate>> adam_tasks(std::span<const ParameterUpdate> updates,
                                               const AdamOptions& options, bool decoupled) {
  std::vector<UpdateTask<AdamUpdate>> tasks;
  for (const ParameterUpdate& update : updates)
    tasks.push_back({{.lr = update.lr,
                      .beta1 = options.beta1,
                      .beta2 = options.beta2,
                      .eps = options.eps,
                      .weight_decay = update.weight_decay,
                      .step = static_cast<double>(update.step),
                      .decoupled = decoupled},
                     update.parameter,
                     update.gradient,
                     update.slots,
                     update.step_scale});
  return tasks;
}

Adam::Adam(const std::vector<Parameter>& parameters, AdamOptions options)
    : Adam(groups_of(parameters, options), options, false) {}
Adam::Adam(std::vector<ParameterGroup> groups, AdamOptions options)
    : Adam(std::move(groups), options, false) {}

Adam::Adam(std::vector<ParameterGroup> groups, AdamOptions options, bool decoupled)
    : Optimizer(std::move(groups), adam_slot_names()), options_(options), decoupled_(decoupled) {
  const char* name = decoupled ? "AdamW" : "Adam";
  for (double beta : {options.beta1, options.beta2})
    check(beta >= 0 && beta < 1, name, ": beta1 and beta2 must be in [0, 1), got ", beta);
  check(options.eps > 0, name, ": eps must be above 0, got ", options.eps);
}

void Adam::apply(std::span<const ParameterUpdate> updates) {
  kernels_of(updates[0].parameter).adam_update(adam_tasks(updates, options_, decoupled_));
}

AdamW::AdamW(const std::vector<Parameter>& parameters, AdamOptions options)
    : Adam(groups_of(parameters, options), options, true) {}
AdamW::AdamW(std::vector<ParameterGroup> groups, AdamOptions options)
    : Adam(std::move(groups), options, true) {}

}  // namespace pade
