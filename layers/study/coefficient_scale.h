#pragma once

#include <vector>

#include <pade/layers/study/activation_function.h>

namespace pade {

/// √E[(∂f/∂θ)²] over Z ~ N(0, 1) for each θ of f.values(): how much a unit of that coefficient
/// changes the function of such inputs, root mean square.
std::vector<double> coefficient_sensitivities(const ActivationFunction& f);

/// The Parameter::step_scale of an activation that starts as `start`: for each of its values() the
/// power of two nearest to 1/sensitivity on a logarithmic scale, of two that are as near the one
/// nearer 1. The least is 2⁻³⁰, also next to a pole; the largest is 64, as a start need not depend
/// on a coefficient, such as the zero function on its denominator.
std::vector<double> step_scales(const ActivationFunction& start);

}  // namespace pade
