#include <pade/layers/activation.h>
#include <pade/layers/network_file.h>

namespace pade {
namespace {

const std::string kKey = "activation.";

}  // namespace

void save_network(const std::filesystem::path& path, Module& network) {
  write_safetensors(path, network.state(), activation_metadata(network));
}

std::map<std::string, std::string> activation_metadata(Module& network, const std::string& prefix) {
  std::map<std::string, std::string> metadata;
  network.for_each_module([&](const std::string& path, Module& module) {
    if (const auto* activation = dynamic_cast<Activation*>(&module))
      metadata[kKey + prefix + path] = activation->spec();
  });
  return metadata;
}

std::optional<std::string> recorded_activation(const SafetensorsFile& file,
                                               const std::string& path) {
  const auto found = file.metadata.find(kKey + path);
  if (found == file.metadata.end()) return std::nullopt;
  const std::string& text = found->second;
  return text.starts_with("basis=") ? "opau:" + text : text;
}

}  // namespace pade
