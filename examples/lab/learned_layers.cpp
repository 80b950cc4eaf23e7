#include "lab/learned_layers.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>
#include <pade/layers/rational.h>

#include "support/activation_metadata.h"
#include "support/csv.h"
#include "support/json_file.h"

namespace pade::lab {
namespace {

namespace fs = std::filesystem;
using support::CsvFile;

/// run.json's activation; empty where there is no such file.
std::string activation_of_run(const std::string& folder) {
  const std::string path = folder + "/run.json";
  if (!fs::exists(path)) return "";
  const auto record = support::read_json(path, "a run record");
  try {
    return record.at("options").at("activation").get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    fail(path, ": is not a run record: ", error.what());
  }
}

/// "act1" of "act1.numerator", where the file has both tensors of the layer. What an optimiser
/// remembers of them has the same endings.
std::vector<std::string> layer_names(const SafetensorsFile& file) {
  constexpr std::string_view kEnd = "numerator";
  std::vector<std::string> names;
  for (const auto& [tensor, values] : file.tensors) {
    if (tensor.starts_with("optimizer.")) continue;
    if (tensor != kEnd && !tensor.ends_with("." + std::string(kEnd))) continue;
    const std::string prefix = tensor.substr(0, tensor.size() - kEnd.size());
    if (file.find(prefix + "denominator"))
      names.push_back(prefix.substr(0, prefix.size() - !prefix.empty()));
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
  fail(file.path, ": has no rational layers, which are tensors LAYER.numerator and ",
       "LAYER.denominator", activation.empty() ? "" : "; the run's activation is " + activation,
       "; there are: ", names.empty() ? "no tensors" : names);
}

std::vector<double> first_row(const Tensor& tensor) {
  return tensor[0].to(DType::float64).to_vector<double>();
}

/// The layer with basis and form still to be set.
LearnedLayer layer_in(const SafetensorsFile& file, const std::string& name) {
  const std::string prefix = name.empty() ? "" : name + ".";
  const Tensor &p = file.at(prefix + "numerator"), &q = file.at(prefix + "denominator");
  const auto is_floating = [](const Tensor& tensor) {
    return tensor.dtype() == DType::float32 || tensor.dtype() == DType::float64;
  };
  check(is_floating(p) && is_floating(q) && p.rank() == 2 && q.rank() == 2 && p.extent(0) >= 1 &&
            p.extent(0) == q.extent(0) && p.extent(1) >= 1 && p.extent(1) <= kMaxDegree + 1 &&
            q.extent(1) <= kMaxDegree + 1,
        file.path, ": expected ", prefix, "numerator [groups, m+1] and ", prefix,
        "denominator [groups, n], in full_sum [groups, n+1], of floating-point numbers, with m and "
        "n up to ",
        kMaxDegree, "; got ", p.dtype(), ' ', p.shape(), " and ", q.dtype(), ' ', q.shape());
  return {name, p.extent(0), {{}, first_row(p), first_row(q)}, {}, {}};
}

void set_options(LearnedLayer& layer, RationalOptions options, const std::string& path) {
  layer.now.options = options;
  layer.now.check_degrees(path + ": " + layer.name);
}

RationalOptions options_named(const std::string& activation) {
  const auto made = make_activation(activation);
  const auto* rational = dynamic_cast<Rational*>(made.get());
  check(rational, "the activation ", activation,
        " is not rational, but the layers are; --activation SPEC says how they are to be read");
  return rational->options();
}

/// The layer's name in the rows of activations.csv.
std::string row_name(const LearnedLayer& layer) {
  return layer.groups > 1 ? layer.name + "[0]" : layer.name;
}

void read_start(const CsvFile& file, const std::string& path, LearnedLayer& layer) {
  for (const CsvFile::Row& row : file.rows()) {
    if (file.number(row, 0) != 0 || file.text(row, 2) != row_name(layer)) continue;
    const std::vector<double> numbers = file.numbers(row, 3);
    RationalFunction start = layer.now;
    check(numbers.size() == start.c.size() + start.d.size(), path, ": expected ",
          start.c.size() + start.d.size(), " coefficients of ", layer.name, ", got ",
          numbers.size());
    const auto split = numbers.begin() + static_cast<int64_t>(start.c.size());
    start.c.assign(numbers.begin(), split);
    start.d.assign(split, numbers.end());
    layer.start = start;
  }
}

/// The columns of inputs.csv by their names.
class InputsFile {
 public:
  explicit InputsFile(const std::string& path) : path_(path), file_(path) {}

  void read(LearnedLayer& layer) const {
    for (const CsvFile::Row& row : file_.rows())
      if (file_.text(row, column("name")) == layer.name) layer.inputs = inputs_in(row);
  }

 private:
  LayerInputs inputs_in(const CsvFile::Row& row) const {
    const auto number = [&](const char* name) { return file_.number(row, column(name)); };
    const auto count = [&](const char* name) { return whole(number(name)); };
    LayerInputs inputs{count("epoch"),    count("count"), count("nan"),
                       count("infinite"), number("mean"), number("std"),
                       number("min"),     number("max"),  {}};
    Histogram& histogram = inputs.histogram;
    histogram.low = number("low"), histogram.width = number("width");
    histogram.below = count("below"), histogram.above = count("above");
    for (const double bar : file_.numbers_in(row, column("counts")))
      histogram.counts.push_back(whole(bar));
    check(inputs.count == 0 ||
              (std::isfinite(inputs.min) && std::isfinite(inputs.max) && inputs.min <= inputs.max &&
               std::isfinite(histogram.low) && histogram.width > 0 &&
               std::isfinite(histogram.width) && !histogram.counts.empty()),
          path_, ": the histogram of ", file_.text(row, column("name")), " is none");
    return inputs;
  }
  int64_t whole(double value) const {
    check(value >= 0 && value <= 0x1p53 && value == std::floor(value), path_,
          ": expected a count instead of ", value);
    return static_cast<int64_t>(value);
  }
  size_t column(const std::string& name) const {
    const auto& header = file_.header();
    const auto found = std::find(header.begin(), header.end(), name);
    check(found != header.end(), path_, ": has no column \"", name, "\"");
    return static_cast<size_t>(found - header.begin());
  }

  std::string path_;
  CsvFile file_;
};

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
  const SafetensorsFile file = read_safetensors(network.file);
  const std::vector<std::string> names = layer_names(file);
  if (names.empty()) fail_without_layers(file, activation_here);
  std::optional<RationalOptions> named;
  for (const std::string& name : names) {
    LearnedLayer layer = layer_in(file, name);
    std::optional<RationalOptions> options = support::recorded_options(file, name);
    if (!options && !named) {
      check(!network.activation.empty(), file.path, ": does not say in which basis and form ",
            name.empty() ? "its layer" : name,
            " is; give them by --activation, as in --activation hp1");
      named = options_named(network.activation);
    }
    set_options(layer, options ? *options : *named, file.path);
    network.layers.push_back(std::move(layer));
  }
  if (network.folder.empty()) return network;
  const std::string starts = network.folder + "/activations.csv";
  const CsvFile start_file(starts);
  const InputsFile inputs_file(network.folder + "/inputs.csv");
  for (LearnedLayer& layer : network.layers) {
    read_start(start_file, starts, layer);
    inputs_file.read(layer);
  }
  return network;
}

}  // namespace pade::lab
