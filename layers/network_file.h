#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <pade/core/io/safetensors.h>
#include <pade/layers/module.h>

namespace pade {

/// Writes a network's state() and activation_metadata() to one file, from which its tensors can be
/// read by any program, and its activations looked at by `activation_lab inspect`. For PyTorch,
/// which expects it, every batch norm has a num_batches_tracked of 0 in it.
void save_network(const std::filesystem::path& path, Module& network);

/// read_safetensors(), with the coefficients that rational_kat_cu calls weight_numerator and
/// weight_denominator under our names.
SafetensorsFile read_network(const std::filesystem::path& path);

/// Puts the activations in place that the file's metadata name, where the network has others there:
/// those that were replaced before it was saved. Throws Error as Module::replace() does.
void adopt_activations(Module& network, const SafetensorsFile& file);

/// Loads a file of save_network(), or one that another program wrote, by names, as load_into() does
/// and with its errors. What all names of the file begin with, and none of the network's, as
/// `module.` in files of PyTorch's DataParallel, is left out; it is returned, "" when there is
/// nothing of that kind.
std::string load_network(const std::filesystem::path& path, Module& network);

/// What a file of a network's tensors has to say besides them, so that its activations can be
/// evaluated from the file alone: activation.<prefix><path> = the Activation's spec(), such as
/// "opau:basis=hermite_he,form=termwise,degrees=5/4" or "swish:beta=1,trainable=true". The prefix
/// is that of the tensors' names in the file.
std::map<std::string, std::string> activation_metadata(Module& network,
                                                       const std::string& prefix = "");

/// The SPEC that the metadata have for the activation of that path; nothing where they have none.
/// Of a rational one the keys may stand there alone, as in "basis=hermite_he,form=termwise", which
/// files of earlier versions have.
std::optional<std::string> recorded_activation(const SafetensorsFile& file,
                                               const std::string& path);

}  // namespace pade
