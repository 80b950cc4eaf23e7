#pragma once

#include <vector>

#include <pade/layers/study/activation_function.h>

namespace pade {

/// √E[(∂f/∂θ)²] over Z ~ N(0, 1) for each θ of f.values(): how much a unit of that coefficient
/// changes the function of such inputs, root mean square.
std::vector<double> coefficient_sensitivities(const ActivationFunction& f);

/// What Parameter::step_scale is of an activation that starts as `start`: for each of its values()
/// the power of two next to 1/sensitivity, on a logarithmic scale, from 2⁻³⁰, as where there is a
/// pole, to 64: a start may not depend on a coefficient at all, as the zero function does not on
/// its denominator.
std::vector<double> step_scales(const ActivationFunction& start);

}  // namespace pade
