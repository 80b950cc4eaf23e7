#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pade/layers/module.h>

namespace pade {

/// The activation that a SPEC names: `relu`, `leaky_relu:slope=0.1`, `tanh`, `sigmoid`, `identity`,
/// `hp1`, `hp2`, `pau`, `opau:basis=legendre`, …
///
/// The rational ones (hp1, hp2, pau, opau) take the keys
///   basis=B, form=termwise|whole_sum|unsafe, degrees=5/4, groups=1|N|channel, init=leaky_relu|…,
///   interval=-5:5, trainable=true|false;
/// when basis, form, degrees, init or interval differ from the preset's, the start is fitted anew.
///
/// `channels` is the number of channels the activation will see, for groups=channel.
/// Throws Error that lists the right names or keys, and the nearest, on a wrong one.
std::unique_ptr<Module> make_activation(std::string_view spec, int64_t channels = 1);

/// The names make_activation() knows.
std::vector<std::string> activation_names();

}  // namespace pade
