#pragma once

#include <span>
#include <string>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/optim/adam.h>

namespace pade {

/// first_moment and second_moment.
const std::vector<std::string>& adam_slot_names();

/// What adam_update() is to do for each of these, with the betas and eps of the options; if
/// decoupled, the decay is taken off the parameter, as AdamW has it.
std::vector<UpdateTask<AdamUpdate>> adam_tasks(std::span<const ParameterUpdate> updates,
                                               const AdamOptions& options, bool decoupled);

}  // namespace pade
