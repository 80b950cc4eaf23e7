#include "support/learned_layers.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>
#include <pade/layers/network_file.h>
#include <pade/layers/rational_spec.h>

#include "support/json_file.h"

namespace pade::support {
namespace {

namespace fs = std::filesystem;

std::string in_layer(const std::string& layer, const std::string& tensor) {
  return layer.empty() ? tensor : layer + "." + tensor;
}

/// run.json's activation; empty where there is no such file.
std::string activation_of_run(const std::string& folder) {
  const std::string path = folder + "/run.json";
  if (!fs::exists(path)) return "";
  const auto record = read_json(path, "a run record");
  try {
    return record.at("options").at("activation").get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    fail(path, ": is not a run record: ", error.what());
  }
}

/// "act1" of "act1.numerator" and "act1.constants". What an optimiser remembers of them has the
/// same endings.
std::vector<std::string> layer_names(const SafetensorsFile& file) {
  std::vector<std::string> names;
  for (const auto& [tensor, values] : file.tensors) {
    const size_t dot = tensor.rfind('.');
    const std::string last = dot == tensor.npos ? tensor : tensor.substr(dot + 1);
    const std::string layer = dot == tensor.npos ? "" : tensor.substr(0, dot);
    const bool is_layer =
        last == "constants" || (last == "numerator" && file.find(in_layer(layer, "denominator")));
    if (is_layer && !tensor.starts_with("optimizer.")) names.push_back(layer);
  }
  return names;
}

[[noreturn]] void fail_without_layers(const SafetensorsFile& file, const std::string& activation) {
  constexpr size_t kShown = 20;
  std::string names;
  for (size_t i = 0; i < std::min(file.tensors.size(), kShown); ++i)
    names += (i > 0 ? ", " : "") + file.tensors[i].first;
  if (file.tensors.size() > kShown)
    names += " and " + std::to_string(file.tensors.size() - kShown) + " more";
  fail(file.path, ": has no learned activations, which are tensors LAYER.numerator and ",
       "LAYER.denominator, or LAYER.constants of a formula that learns them",
       activation.empty() ? "" : "; the activation is " + activation,
       "; there are: ", names.empty() ? "no tensors" : names);
}

std::vector<double> numbers_of(const Tensor& tensor) {
  return tensor.to(DType::float64).to_vector<double>();
}

/// Other programs write the coefficients of one function without an axis of groups.
Tensor as_groups(const Tensor& coefficients) {
  return coefficients.rank() == 1 ? coefficients.reshape({1, coefficients.size()}) : coefficients;
}

/// What a SPEC says of a layer's tensors.
struct Kind {
  const Formula* formula = nullptr;  ///< none: rational
  RationalOptions options;
  bool learned = true;
};

/// No fit is made where none is needed.
Kind kind_of(const std::string& activation) {
  const Spec spec(activation);
  const std::vector<std::string> fitted = rational_names();
  if (std::find(fitted.begin(), fitted.end(), spec.name()) != fitted.end())
    return {nullptr, RationalSpec(spec).options()};
  const auto made = make_activation(activation);
  const auto* rational = dynamic_cast<Rational*>(made.get());
  if (rational) return {nullptr, rational->options()};
  return {find_formula(spec.name()), {}, made->is_learned()};
}

/// The rational functions of all groups.
LearnedLayer rational_layer(const SafetensorsFile& file, const std::string& name,
                            const RationalOptions& options) {
  const std::string numerator = in_layer(name, "numerator"),
                    denominator = in_layer(name, "denominator");
  const Tensor p = as_groups(file.at(numerator)), q = as_groups(file.at(denominator));
  check(is_floating(p.dtype()) && is_floating(q.dtype()) && p.rank() == 2 && q.rank() == 2 &&
            q.extent(0) >= 1 && (p.extent(0) == 1 || p.extent(0) == q.extent(0)) &&
            p.extent(1) >= 1 && p.extent(1) <= kMaxDegree + 1 && q.extent(1) <= kMaxDegree + 1,
        file.path, ": expected ", numerator, " [groups, m+1] and ", denominator,
        " [groups, n], in full_sum [groups, n+1], of floating-point numbers, with m and n up to ",
        kMaxDegree, "; got ", p.dtype(), ' ', p.shape(), " and ", q.dtype(), ' ', q.shape());
  std::vector<ActivationFunction> by_group;
  for (int64_t group = 0; group < q.extent(0); ++group) {
    const RationalFunction function{options, numbers_of(p[p.extent(0) == 1 ? 0 : group]),
                                    numbers_of(q[group])};
    function.check_degrees(file.path + ": " + name);
    by_group.emplace_back(function);
  }
  return {name, q.extent(0), by_group.front(), {}, {}, by_group};
}

LearnedLayer formula_layer(const SafetensorsFile& file, const std::string& name,
                           const Formula& formula) {
  const std::string constants = in_layer(name, "constants");
  const Tensor& values = file.at(constants);
  check(is_floating(values.dtype()) && values.rank() == 1 &&
            values.size() == std::ssize(formula.constants),
        file.path, ": expected ", constants, " [", formula.constants.size(), "], as ", formula.name,
        " has them, of floating-point numbers; got ", values.dtype(), ' ', values.shape());
  const ActivationFunction function(formula, numbers_of(values));
  return {name, 1, function, {}, {}, {function}};
}

/// The layer, as the file's metadata or else `activation` say what it is; nothing where they say
/// that its tensors are others, or that it learns nothing. `given` says that people asked for it.
std::optional<LearnedLayer> layer_in(const SafetensorsFile& file, const std::string& name,
                                     const std::string& activation, bool given) {
  const std::optional<std::string> recorded = recorded_activation(file, name);
  check(recorded || !activation.empty(), file.path, ": does not say what ",
        name.empty() ? "its layer" : name,
        " is; name its activation by --activation, as in --activation hp1");
  const std::string& text = recorded ? *recorded : activation;
  Kind kind;
  try {
    kind = kind_of(text);
  } catch (const Error& error) {
    fail(file.path, ": the activation of ", name, " is \"", text, "\": ", error.what());
  }
  const bool has_constants = file.find(in_layer(name, "constants")) != nullptr;
  if (has_constants != (kind.formula != nullptr)) return std::nullopt;
  if (!kind.formula) return rational_layer(file, name, kind.options);
  if (!kind.learned && (recorded || !given)) return std::nullopt;
  return formula_layer(file, name, *kind.formula);
}

/// Before training, by activations.csv.
void read_start(const CoefficientFile& file, LearnedLayer& layer) {
  for (const auto& at : file.functions_of(layer.name, layer.groups, layer.now))
    if (at.epoch == 0) layer.start = at.groups.front();
}

}  // namespace

LearnedNetwork read_learned_network(const std::string& path, const std::string& activation) {
  check(fs::exists(path), path, ": there is no such run folder or file");
  LearnedNetwork network;
  network.file = path;
  std::string activation_here;
  if (fs::is_directory(path)) {
    network.folder = path;
    network.file = (fs::path(path) / "last.safetensors").string();
    check(fs::exists(network.file), "run folder ", path,
          ": has no last.safetensors, which a run leaves after its first epoch");
    activation_here = activation_of_run(path);
  }
  network.activation = activation.empty() ? activation_here : activation;
  const SafetensorsFile file = read_network(network.file);
  for (const std::string& name : layer_names(file))
    if (const auto layer = layer_in(file, name, network.activation, !activation.empty()))
      network.layers.push_back(*layer);
  if (network.layers.empty()) fail_without_layers(file, network.activation);
  if (network.folder.empty()) return network;
  const CoefficientFile starts(network.folder + "/activations.csv");
  const auto inputs = read_inputs(network.folder + "/inputs.csv");
  for (LearnedLayer& layer : network.layers) {
    read_start(starts, layer);
    if (const auto found = inputs.find(layer.name); found != inputs.end())
      layer.inputs = found->second.back();
  }
  return network;
}

}  // namespace pade::support
