#pragma once

#include <vector>

#include <pade/core/parameter.h>

namespace pade {

/// The L2 norm of all fresh gradients together, those that the next step() will use, summed in
/// float64 in a fixed order. A parameter with a step_scale counts with step_scale · gradient.
/// Throws Error when they are on several devices, and where there are parameters but no fresh
/// gradient, as after step(). On the GPU this waits for it, once for all of them.
double grad_norm(const std::vector<Parameter>& parameters);

/// Multiplies these gradients, in place, by max_norm / (norm + 1e-6) where that is below 1, as
/// PyTorch does, and returns the norm before. A norm that is NaN or infinite is returned too, and
/// the gradients are left as they are: no factor would mend them, zeroes would hide them, and
/// Anomaly tells where they come from. Throws Error unless max_norm > 0, when gradients that it
/// would change share memory, and as grad_norm() does.
double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm);

}  // namespace pade
