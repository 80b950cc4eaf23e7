#include <algorithm>
#include <utility>

#include <pade/layers/activation.h>
#include <pade/layers/batch_norm.h>
#include <pade/layers/network_file.h>

namespace pade {
namespace {

const std::string kKey = "activation.";

/// What is in front of the name of some tensor of the state, in all names of the file; "" when
/// there is nothing, or when names fit without.
std::string common_prefix(const NamedTensors& state, const NamedTensors& file) {
  const auto is_known = [&](std::string_view name) {
    return std::ranges::any_of(state, [&](const auto& entry) { return entry.first == name; });
  };
  for (const auto& [name, tensor] : file) {
    if (is_known(name)) return "";
    for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
      const std::string prefix = name.substr(0, dot + 1);
      if (is_known(name.substr(dot + 1)) && std::ranges::all_of(file, [&](const auto& entry) {
            return entry.first.starts_with(prefix);
          }))
        return prefix;
    }
  }
  return "";
}

}  // namespace

void save_network(const std::filesystem::path& path, Module& network) {
  std::map<std::string, int64_t> counters;
  network.for_each_module([&](const std::string& own, Module& module) {
    if (dynamic_cast<BatchNorm*>(&module))
      counters[own + (own.empty() ? "" : ".") + "num_batches_tracked"] = 0;
  });
  write_safetensors(path, network.state(), activation_metadata(network), counters);
}

SafetensorsFile read_network(const std::filesystem::path& path) {
  return renamed(read_safetensors(path), [](std::string name) {
    constexpr std::string_view kWeight = "weight_";
    for (const std::string_view own : {"numerator", "denominator"})
      if (name.ends_with(std::string(kWeight).append(own)))
        name.erase(name.size() - own.size() - kWeight.size(), kWeight.size());
    return name;
  });
}

void adopt_activations(Module& network, const SafetensorsFile& file) {
  std::map<std::string, std::string> others;
  network.for_each_module([&](const std::string& path, Module& module) {
    const auto* activation = dynamic_cast<Activation*>(&module);
    const auto recorded = activation ? recorded_activation(file, path) : std::nullopt;
    if (recorded && *recorded != activation->spec()) others[path] = *recorded;
  });
  for (const auto& [path, spec] : others) network.replace(path, make_activation(spec));
}

std::string load_network(const std::filesystem::path& path, Module& network) {
  const NamedTensors state = network.state();
  SafetensorsFile file = read_network(path);
  const std::string prefix = common_prefix(state, file.tensors);
  load_into(state, renamed(std::move(file),
                           [&](const std::string& name) { return name.substr(prefix.size()); }));
  return prefix;
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
