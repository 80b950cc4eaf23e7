#pragma once

#include <vector>

#include <pade/core/parameter.h>

namespace pade {

/// The L2 norm of all fresh gradients together, those that the next step() will use, summed in
/// float64 in a fixed order.
/// Throws Error when they are on several devices, and where there are parameters but no fresh
/// gradient, as after step(). On the GPU this waits for it, once for all of them.
double grad_norm(const std::vector<Parameter>& parameters);

/// Multiplies the weights' gradients, in place, by max_norm / (norm + 1e-6) where that is below 1,
/// as PyTorch does, and returns their norm before. Activations' coefficients neither count nor
/// change: the length of their steps does not depend on the size of their gradients
/// (UpdateRule::coefficients), of which one may be larger than all others together.
/// A norm that is NaN or infinite is returned too, also where only a coefficient's gradient is, and
/// all are left as they are: no factor would mend them, zeroes would hide them, and Anomaly tells
/// where they come from. Throws Error unless max_norm > 0, when gradients that it would change
/// share memory, and as grad_norm() does.
double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm);

}  // namespace pade
