#pragma once

#include <vector>

#include <pade/core/parameter.h>

namespace pade {

/// The L2 norm of all fresh gradients together, summed in float64 in a fixed order.
double grad_norm(const std::vector<Parameter>& parameters);

/// Scales them so that this norm is at most max_norm, and returns the norm before. A norm that is no
/// finite number is returned too, and the gradients are left as they are: no scale would mend them,
/// and Anomaly tells where they come from. Throws Error unless max_norm > 0.
double clip_grad_norm(const std::vector<Parameter>& parameters, double max_norm);

}  // namespace pade
