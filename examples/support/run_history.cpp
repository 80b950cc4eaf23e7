#include "support/run_history.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iterator>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>

namespace pade::support {
namespace {

/// The columns of inputs.csv by their names.
class InputsFile {
 public:
  explicit InputsFile(const std::string& path) : path_(path), file_(path) {}

  std::map<std::string, std::vector<LayerInputs>> by_layer() const {
    std::map<std::string, std::vector<LayerInputs>> layers;
    for (const CsvFile::Row& row : file_.rows())
      layers[file_.text(row, column("name"))].push_back(inputs_in(row));
    return layers;
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

constexpr size_t kFirstCoefficient = 3;  // the column behind epoch, layer and name

/// The name of a group of a layer in activations.csv.
std::string row_name(const std::string& layer, int64_t group, int64_t groups) {
  return groups > 1 ? layer + '[' + std::to_string(group) + ']' : layer;
}

/// Calls f(path, activation) for everything that is learned.
template <class F>
void for_each_learned(Module& network, F&& f) {
  network.for_each_module([&](const std::string& path, Module& module) {
    const auto* activation = dynamic_cast<Activation*>(&module);
    if (activation && activation->is_learned()) f(path, *activation);
  });
}

/// The names of all coefficients of the network, each once. Those that an activation has and the
/// ones before it have not stand behind the one that they follow there: c0 … c3, d1 and c0 … c5, d1
/// make c0 … c5, d1.
std::vector<std::string> coefficient_columns(Module& network) {
  std::vector<std::string> columns;
  for_each_learned(network, [&](const std::string&, const Activation& activation) {
    const std::vector<std::string> names = activation.as_function().names();
    const auto index_of = [&](const std::string& name) {
      return std::find(columns.begin(), columns.end(), name) - columns.begin();
    };
    auto place = index_of(names.front()) == std::ssize(columns) ? std::ssize(columns) : 0;
    for (const std::string& name : names) {
      const auto found = index_of(name);
      if (found == std::ssize(columns))
        columns.insert(columns.begin() + place++, name);
      else
        place = std::max(place, found + 1);
    }
  });
  return columns;
}

/// The x below which a share of the inputs lies, to the bar's edge on the outer side.
double quantile(const LayerInputs& inputs, double share) {
  const Histogram& bars = inputs.histogram;
  double left = share * static_cast<double>(inputs.count) - static_cast<double>(bars.below);
  size_t k = 0;
  while (k < bars.counts.size() && (left -= static_cast<double>(bars.counts[k])) >= 0) ++k;
  const bool right_edge = share >= 0.5 && k < bars.counts.size();
  return bars.low + static_cast<double>(k + right_edge) * bars.width;
}

void set_range(LayerHistory& layer) {
  double low = -2, high = 2;
  bool known = false;
  for (const LayerInputs& inputs : layer.inputs) {
    if (inputs.count == 0) continue;
    known = true;
    low = std::min(low, quantile(inputs, 0.005));
    high = std::max(high, quantile(inputs, 0.995));
  }
  if (!known) return;
  const double room = (high - low) / 20;
  layer.low = low < -2 ? low - room : low;
  layer.high = high > 2 ? high + room : high;
}

}  // namespace

std::map<std::string, std::vector<LayerInputs>> read_inputs(const std::string& path) {
  return InputsFile(path).by_layer();
}

CoefficientFile::CoefficientFile(const std::string& path) : path_(path), file_(path) {
  for (const CsvFile::Row& row : file_.rows()) rows_[file_.text(row, 2)].push_back(row);
}

std::vector<double> CoefficientFile::values_in(const CsvFile::Row& row,
                                               const ActivationFunction& like) const {
  std::map<std::string, double> given;
  for (size_t i = kFirstCoefficient; i < std::min(row.size(), file_.header().size()); ++i)
    if (!row[i].empty()) given[file_.header()[i]] = file_.number(row, i);
  std::vector<double> values;
  std::string names;
  for (const std::string& name : like.names()) {
    names += (names.empty() ? "" : ",") + name;
    if (const auto found = given.find(name); found != given.end()) values.push_back(found->second);
  }
  check(values.size() == like.names().size() && given.size() == values.size(), path_, ": expected ",
        like.names().size(), " coefficients of ", file_.text(row, 2), ", ", names, ", got ",
        values.size(), " of them and ", given.size() - values.size(), " others");
  return values;
}

std::vector<LayerFunctions> CoefficientFile::functions_of(const std::string& layer, int64_t groups,
                                                          const ActivationFunction& like) const {
  std::map<int64_t, LayerFunctions> epochs;
  for (int64_t group = 0; group < groups; ++group) {
    const auto rows = rows_.find(row_name(layer, group, groups));
    if (rows == rows_.end()) continue;
    for (const CsvFile::Row& row : rows->second) {
      const auto epoch = whole_number<int64_t>(file_.number(row, 0), path_.c_str());
      LayerFunctions& functions = epochs[epoch];
      functions.epoch = epoch;
      functions.groups.push_back(like.with(values_in(row, like)));
    }
  }
  std::vector<LayerFunctions> in_order;
  for (auto& [epoch, functions] : epochs) in_order.push_back(std::move(functions));
  return in_order;
}

std::string CoefficientFile::header_of(Module& network) {
  std::string header;
  for (const std::string& name : coefficient_columns(network)) header += ',' + name;
  return header.empty() ? "" : "epoch,layer,name" + header + '\n';
}

std::string CoefficientFile::rows_of(int64_t epoch, Module& network) {
  const std::vector<std::string> columns = coefficient_columns(network);
  TextStream rows;
  rows << std::setprecision(9);  // enough to read the same float again
  int64_t layer = 0;
  for_each_learned(network, [&](const std::string& path, const Activation& activation) {
    for (int64_t group = 0; group < activation.groups(); ++group) {
      const ActivationFunction function = activation.as_function(group);
      const std::vector<std::string> names = function.names();
      const std::vector<double> values = function.values();
      rows << epoch << ',' << layer << ',' << row_name(path, group, activation.groups());
      for (const std::string& column : columns) {
        rows << ',';
        const auto k = std::find(names.begin(), names.end(), column) - names.begin();
        if (k < std::ssize(values)) rows << values[static_cast<size_t>(k)];
      }
      rows << '\n';
    }
    ++layer;
  });
  return rows.str();
}

std::vector<LayerHistory> read_history(const std::string& folder, Module& network) {
  const CoefficientFile coefficients(folder + "/activations.csv");
  const auto inputs = read_inputs(folder + "/inputs.csv");
  std::vector<LayerHistory> layers;
  network.for_each_module([&](const std::string& path, Module& module) {
    const auto* activation = dynamic_cast<Activation*>(&module);
    if (!activation) return;
    LayerHistory layer{path, activation->description(), activation->is_learned(), {}, {}};
    if (layer.learned)
      layer.functions =
          coefficients.functions_of(path, activation->groups(), activation->as_function());
    else
      layer.functions.push_back({0, {activation->as_function()}});
    if (const auto found = inputs.find(path); found != inputs.end()) layer.inputs = found->second;
    set_range(layer);
    layers.push_back(std::move(layer));
  });
  return layers;
}

}  // namespace pade::support
