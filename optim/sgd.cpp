#include <pade/core/error.h>
#include <pade/optim/sgd.h>
#include <pade/optim/update_kernels.h>

namespace pade {

Sgd::Sgd(const std::vector<Parameter>& parameters, SgdOptions options)
    : Sgd(default_groups(parameters, options.lr, options.weight_decay,
                         options.activation_lr.value_or(options.lr)),
          options) {}

Sgd::Sgd(std::vector<ParameterGroup> groups, SgdOptions options)
    : Optimizer(std::move(groups), options.momentum != 0 ? std::vector<std::string>{"momentum"}
                                                         : std::vector<std::string>{}),
      options_(options) {
  check(options.momentum >= 0 && options.momentum < 1, "Sgd: momentum must be in [0, 1), got ",
        options.momentum);
  check(!options.nesterov || options.momentum > 0, "Sgd: Nesterov's momentum needs momentum > 0");
}

void Sgd::apply(const Update& update) {
  cpu::sgd_update({update.lr, options_.momentum, update.weight_decay, options_.nesterov},
                  update.parameter, update.gradient,
                  update.slots.empty() ? Tensor() : update.slots[0]);
}

}  // namespace pade
