#pragma once

#include <map>
#include <optional>
#include <string>

#include <pade/core/io/safetensors.h>
#include <pade/core/ops/rational.h>
#include <pade/layers/module.h>

namespace pade::support {

/// What a file of a network's tensors has to say besides them, so that its rational layers can be
/// evaluated from the file alone: activation.<prefix><layer> = "basis=hermite_he,form=termwise" for
/// each. The prefix is that of the tensors' names in the file.
std::map<std::string, std::string> activation_metadata(Module& network,
                                                       const std::string& prefix = "");

/// What the metadata say of the layer whose tensors are <layer>.numerator and <layer>.denominator.
/// Throws Error with the file's path when it is something else than activation_metadata() writes.
std::optional<RationalOptions> recorded_options(const SafetensorsFile& file,
                                                const std::string& layer);

}  // namespace pade::support
