#pragma once

#include <string_view>

#include <pade/core/random.h>
#include <pade/core/tensor.h>

namespace pade {

/// How the weights of Linear and Conv2d start. fan_in = weight elements per output (or, for
/// fan_out, per input) unit.
enum class Init {
  pytorch,    ///< U(±1/√fan_in), which PyTorch's layers use; also for their biases
  he_normal,  ///< N(0, 2/fan_in), He et al. 2015
  /// N(0, 2/fan_out), by the same authors: keeps the gradients' variance instead of the signals'.
  /// The usual start of convolutions that batch norm follows.
  he_normal_fan_out,
  he_uniform,      ///< U(±√(6/fan_in))
  glorot_normal,   ///< N(0, 2/(fan_in + fan_out)), Glorot and Bengio 2010
  glorot_uniform,  ///< U(±√(6/(fan_in + fan_out)))
  lecun_normal,    ///< N(0, 1/fan_in), LeCun et al. 1998
  lecun_uniform,   ///< U(±√(3/fan_in))
  /// The first outputs are copies of the inputs, as many as there are of both (Zagoruyko and
  /// Komodakis 2017, https://arxiv.org/abs/1706.00388); the other weights, and biases, as pytorch.
  dirac,
};
const char* name_of(Init init);
/// The initialisation of that name. Throws Error that lists the names.
Init init_named(std::string_view name);

/// The E[f(Z)²], Z ~ N(0, 1), of an activation f with which a deep network that starts like this
/// keeps pre-activations of variance 1, which is 1/(fan_in · weight variance): 1/2 for he_…, as
/// ReLU has it; 1 for lecun_… and dirac; so for glorot_… and …_fan_out where fan_in = fan_out; 3
/// for pytorch, which is more than the usual activations have, so that signals fade. (PyTorch's
/// biases add 1/(3 fan_in) to the variance in each layer.)
double assumed_second_moment(Init init);

/// A float32 leaf of shape [out, in / groups, …] (trailing axes are the kernel), drawn from `rng`.
Tensor initial_weight(Init init, const Shape& shape, Rng& rng, int64_t groups = 1);
/// The bias [out] that belongs to it: U(±1/√fan_in) for Init::pytorch, zeros for the others.
Tensor initial_bias(Init init, const Shape& weight_shape, Rng& rng);

}  // namespace pade
