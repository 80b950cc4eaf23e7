#pragma once

#include <span>
#include <string>
#include <vector>

#include <pade/optim/optimizer.h>

namespace pade {

/// The constants of Adam: of the optimiser of that name, and of UpdateRule::coefficients, which has
/// these.
struct AdamRule {
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  bool decoupled = false;  ///< whether the decay is taken off the parameter, as AdamW has it
};

/// first_moment and second_moment.
const std::vector<std::string>& adam_slot_names();

/// One step of each, all in one pass; they are on one device.
void apply_adam(std::span<const ParameterUpdate> updates, const AdamRule& rule = {});

}  // namespace pade
