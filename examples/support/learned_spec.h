#pragma once

#include <string>

namespace pade::support {

/// The SPEC of a function that was learned: of a layer in a run folder, RUN#act1, or in a file,
/// FILE.safetensors#features.3, or of what `activation_lab export --format json` wrote, FILE.json;
/// with more keys where they follow, as in RUN#act1:trainable=false. It has all coefficients in it,
/// so that nothing depends on the file any more. Any other text is returned as it is.
///
/// Throws Error when the file cannot be read, for a layer that it does not have, and for one with a
/// function for each of several groups.
std::string resolved_spec(const std::string& text);

}  // namespace pade::support
