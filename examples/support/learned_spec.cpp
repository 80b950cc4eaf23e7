#include "support/learned_spec.h"

#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/layers/study/activation_function.h>

#include "support/json_file.h"
#include "support/learned_layers.h"

namespace pade::support {
namespace {

std::string spec_of_layer(const std::string& path, const std::string& name) {
  const LearnedNetwork network = read_learned_network(path, "");
  std::vector<std::string> names;
  for (const LearnedLayer& layer : network.layers) {
    names.push_back(layer.name);
    if (layer.name != name) continue;
    check(layer.groups == 1, path, ": ", name, " has a function for each of its ", layer.groups,
          " groups; a SPEC is of one");
    return layer.now.spec();
  }
  fail_unknown_name("learned layer of " + path, name, names);
}

std::string spec_of_json(const std::string& path) {
  const nlohmann::ordered_json json = read_json(path, "an exported activation");
  try {
    check(json.value("groups", 1) == 1, path,
          ": has a function for each of several groups; a SPEC ", "is of one");
    return json.at("spec").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    fail(path, ": is not an exported activation: it has no \"spec\"");
  }
}

}  // namespace

std::string resolved_spec(const std::string& text) {
  const std::string ending = ".json";
  const size_t hash = text.rfind('#'), json = text.rfind(ending);
  size_t end = text.npos;  // of what names the function, where keys may follow
  std::string spec;
  if (hash != text.npos) {
    end = text.find(':', hash);
    spec = spec_of_layer(text.substr(0, hash), text.substr(hash + 1, end - hash - 1));
  } else if (json != text.npos &&
             (json + ending.size() == text.size() || text[json + ending.size()] == ':')) {
    end = text.find(':', json);
    spec = spec_of_json(text.substr(0, end));
  } else {
    return text;
  }
  if (end == text.npos) return spec;
  return spec + (spec.find(':') == spec.npos ? ':' : ',') + text.substr(end + 1);
}

}  // namespace pade::support
