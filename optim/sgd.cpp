#include <utility>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/optim/default_groups.h>
#include <pade/optim/sgd.h>

namespace pade {

Sgd::Sgd(const std::vector<Parameter>& parameters, SgdOptions options)
    : Sgd(default_groups(parameters, options.lr, options.weight_decay, options.activation_lr),
          options) {}

Sgd::Sgd(std::vector<ParameterGroup> groups, SgdOptions options)
    : Optimizer(std::move(groups),
                std::vector<std::string>(options.momentum > 0 ? 1 : 0, "momentum")),
      options_(options) {
  check(options.momentum >= 0 && options.momentum < 1, "Sgd: momentum must be in [0, 1), got ",
        options.momentum);
  check(!options.nesterov || options.momentum > 0, "Sgd: Nesterov's momentum needs momentum > 0");
}

void Sgd::apply(std::span<const ParameterUpdate> updates) {
  std::vector<UpdateTask<SgdUpdate>> tasks;
  for (const ParameterUpdate& update : updates)
    tasks.push_back({{.lr = update.lr,
                      .momentum = options_.momentum,
                      .weight_decay = update.weight_decay,
                      .nesterov = options_.nesterov},
                     update.parameter,
                     update.gradient,
                     update.slots,
                     update.step_scale});
  kernels_of(updates[0].parameter).sgd_update(tasks);
}

}  // namespace pade
