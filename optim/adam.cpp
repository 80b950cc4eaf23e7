#include <cmath>

#include <pade/core/error.h>
#include <pade/optim/adam.h>
#include <pade/optim/update_kernels.h>

namespace pade {
namespace {

std::vector<ParameterGroup> groups_of(const std::vector<Parameter>& parameters,
                                      const AdamOptions& options) {
  return default_groups(parameters, options.lr, options.weight_decay,
                        options.activation_lr.value_or(options.lr));
}

}  // namespace

Adam::Adam(const std::vector<Parameter>& parameters, AdamOptions options)
    : Adam(groups_of(parameters, options), options, false) {}
Adam::Adam(std::vector<ParameterGroup> groups, AdamOptions options)
    : Adam(std::move(groups), options, false) {}

Adam::Adam(std::vector<ParameterGroup> groups, AdamOptions options, bool decoupled)
    : Optimizer(std::move(groups), {"first_moment", "second_moment"}), options_(options),
      decoupled_(decoupled) {
  for (double beta : {options.beta1, options.beta2})
    check(beta >= 0 && beta < 1, "Adam: beta1 and beta2 must be in [0, 1), got ", beta);
  check(options.eps > 0, "Adam: eps must be above 0, got ", options.eps);
}

void Adam::apply(const Update& update) {
  const double step = static_cast<double>(update.step);
  cpu::adam_update({.lr = update.lr,
                    .beta1 = options_.beta1,
                    .beta2 = options_.beta2,
                    .eps = options_.eps,
                    .weight_decay = update.weight_decay,
                    .correction1 = 1 - std::pow(options_.beta1, step),
                    .correction2 = 1 - std::pow(options_.beta2, step),
                    .decoupled = decoupled_},
                   update.parameter, update.gradient, update.slots[0], update.slots[1]);
}

AdamW::AdamW(const std::vector<Parameter>& parameters, AdamOptions options)
    : Adam(groups_of(parameters, options), options, true) {}
AdamW::AdamW(std::vector<ParameterGroup> groups, AdamOptions options)
    : Adam(std::move(groups), options, true) {}

}  // namespace pade
