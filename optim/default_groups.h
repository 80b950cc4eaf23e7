#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <pade/optim/optimizer.h>

namespace pade {

/// The rate of coefficients, whatever the weights' one is, in a network with one activation that
/// learns, and this over √n with n of them, unless told otherwise. A step of each coefficient
/// changes its function by the rate, root mean square; independent changes of n layers in a row
/// make √n times as much.
constexpr double kActivationLr = 0.01;

/// "weights" with this rate and decay, and "activations": the coefficients, by their own rule, with
/// activation_lr where it is given, and without decay, which would pull them towards the zero
/// function. A group without parameters is left out. Throws Error for a negative rate or decay.
std::vector<ParameterGroup> default_groups(const std::vector<Parameter>& parameters, double lr,
                                           double weight_decay,
                                           std::optional<double> activation_lr = {});

/// Moves the parameters that are `chosen` into groups of their own with `factor` times the rate and
/// 1/factor times the decay: lr · decay, what a step takes off a parameter, stays. Throws Error
/// unless factor is finite and above 0.
std::vector<ParameterGroup> with_lr_factor(std::vector<ParameterGroup> groups, double factor,
                                           const std::function<bool(const Parameter&)>& chosen);

}  // namespace pade
