#pragma once

#include <string_view>

#include <pade/core/random.h>
#include <pade/core/tensor.h>

namespace pade {

/// How the weights of Linear and Conv2d start. fan_in = weight elements per output (or, for
/// fan_out, per input) unit.
enum class Init {
  pytorch,         ///< U(±1/√fan_in), which PyTorch's layers use; also for their biases
  he_normal,       ///< N(0, 2/fan_in), He et al. 2015
  he_uniform,      ///< U(±√(6/fan_in))
  glorot_normal,   ///< N(0, 2/(fan_in + fan_out)), Glorot and Bengio 2010
  glorot_uniform,  ///< U(±√(6/(fan_in + fan_out)))
  lecun_normal,    ///< N(0, 1/fan_in), LeCun et al. 1998
  lecun_uniform,   ///< U(±√(3/fan_in))
};
const char* name_of(Init init);
/// The initialisation of that name. Throws Error that lists the names.
Init init_named(std::string_view name);

/// A float32 leaf of shape [out, in, …] (trailing axes are the kernel), drawn from `rng`.
Tensor initial_weight(Init init, const Shape& shape, Rng& rng);
/// The bias [out] that belongs to it: U(±1/√fan_in) for Init::pytorch, zeros for the others.
Tensor initial_bias(Init init, const Shape& weight_shape, Rng& rng);

}  // namespace pade
