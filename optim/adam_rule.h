#pragma once

#include <span>
#include <string>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/optim/optimizer.h>

namespace pade {

/// The constants of Adam: of the optimiser of that name, and of UpdateRule::coefficients.
struct AdamRule {
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  bool decoupled = false;  ///< whether the decay is taken off the parameter, as AdamW has it
  double warm_up = 1;      ///< in so many of a parameter's first steps the rate rises to its value
};

/// first_moment and second_moment.
const std::vector<std::string>& adam_slot_names();

/// What adam_update() is to do for each of these.
std::vector<UpdateTask<AdamUpdate>> adam_tasks(std::span<const ParameterUpdate> updates,
                                               const AdamRule& rule);

}  // namespace pade
