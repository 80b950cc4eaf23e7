#pragma once

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

}  // namespace pade
