#pragma once

#include <string>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// What a parameter is for. Optimisers give activation coefficients a group of their own.
enum class ParameterRole { weight, activation };

/// A trainable leaf and its name: the dotted path of its module and its own, `features.0.weight`.
struct Parameter {
  std::string name;
  Tensor tensor;
  ParameterRole role = ParameterRole::weight;
  /// Of a coefficient, how long its steps are in relation to the others' (UpdateRule::coefficients
  /// in optim/optimizer.h): of the tensor's shape, dtype and device, all above 0. 1 where it is
  /// undefined.
  Tensor step_scale = {};
};

}  // namespace pade
