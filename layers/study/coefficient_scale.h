#pragma once

#include <vector>

#include <pade/layers/study/activation_function.h>

namespace pade {

/// √E[(∂f/∂θ)²] for each θ of f.values(): how much a unit of that coefficient changes the function
/// of inputs Z ~ N(0, 1), root mean square. The inputs of rational functions in forms other than
/// termwise are N(0, 2²): coefficients of unlike signs cancel there, and a d_n that crosses zero
/// puts another zero of Σ d_j f_j (in unsafe, of Q) where only wide inputs come.
std::vector<double> coefficient_sensitivities(const ActivationFunction& f);

/// The Parameter::step_scale of an activation that starts as `start`: for each of its values() the
/// power of two nearest to 1/sensitivity on a logarithmic scale, of two that are as near the one
/// nearer 1. The least is 2⁻³⁰, also next to a pole; the largest is 64, as a start need not depend
/// on a coefficient, such as the zero function on its denominator.
std::vector<double> step_scales(const ActivationFunction& start);

}  // namespace pade
