#include "support/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/atomic_file.h>
#include <pade/core/polynomial_basis.h>
#include <pade/layers/activation.h>
#include <pade/layers/rational.h>

#include "support/csv.h"

namespace pade::support {

/// report.html of this folder, which the build makes part of the program.
std::string_view report_template();

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPlaceOfData = "{\"to be replaced\": \"by the run\"}";
constexpr int kPointsOfFixed = 257;  // odd, so that the kink at 0 is one of them

/// An object per epoch, by the names of the columns.
Json metrics_of(const RunFolder& folder) {
  const CsvFile file(folder.file("metrics.csv"));
  Json metrics = Json::array();
  for (const CsvFile::Row& row : file.rows()) {
    Json epoch;
    for (size_t i = 0; i < file.header().size(); ++i) epoch[file.header()[i]] = file.number(row, i);
    metrics.push_back(epoch);
  }
  return metrics;
}

/// The rows of a file that has an epoch, a layer's number and a name in its first columns: by name,
/// what `convert` makes of each.
template <class F>
std::map<std::string, Json> by_layer(const CsvFile& file, F&& convert) {
  std::map<std::string, Json> layers;
  for (const CsvFile::Row& row : file.rows())
    layers.try_emplace(file.text(row, 2), Json::array())
        .first->second.push_back(convert(row, file.number(row, 0)));
  return layers;
}

std::map<std::string, Json> coefficients_of(const RunFolder& folder) {
  const CsvFile file(folder.file("activations.csv"));
  return by_layer(file, [&](const CsvFile::Row& row, double epoch) {
    return Json{{"epoch", epoch}, {"coefficients", file.numbers(row, 3)}};
  });
}

std::map<std::string, Json> inputs_of(const RunFolder& folder) {
  const CsvFile file(folder.file("inputs.csv"));
  return by_layer(file, [&](const CsvFile::Row& row, double epoch) {
    Json inputs{{"epoch", epoch}};
    const size_t counts = file.header().size() - 1;
    for (size_t i = 3; i < counts; ++i) inputs[file.header()[i]] = file.number(row, i);
    inputs["counts"] = file.numbers_in(row, counts);
    return inputs;
  });
}

/// What the page computes a rational function with, besides coefficients.
Json formula_of(const Rational& rational) {
  const MonicRecurrence basis = monic_recurrence_of(rational.options().basis);
  return {{"form", name_of(rational.options().form)},
          {"constant", denominator_constant(rational.options().form)},
          {"degree", rational.numerator_degree()},
          {"first", first_denominator(rational.options().form)},
          {"sign", basis.sign},
          {"shift", basis.shift},
          {"drop", basis.drop},
          {"scale", basis.scale}};
}

/// What is no rational function: as it is in the end, where its inputs were.
Json curve_of(const Activation& activation, const Json& inputs) {
  double reach = 5;
  for (const Json& epoch : inputs) {
    const double low = epoch.at("low"), width = epoch.at("width");
    const double high = low + width * static_cast<double>(epoch.at("counts").size());
    reach = std::max({reach, std::abs(low), std::abs(high)});
  }
  std::vector<double> values;
  for (int i = 0; i < kPointsOfFixed; ++i)
    values.push_back(activation.derivatives(reach * (2.0 * i / (kPointsOfFixed - 1) - 1)).value);
  return {{"low", -reach}, {"high", reach}, {"values", values}};
}

Json layer_of(const std::string& name, const Activation& activation, const RunFolder& folder,
              const std::map<std::string, Json>& coefficients,
              const std::map<std::string, Json>& inputs) {
  auto rows_of = [](const std::map<std::string, Json>& layers, const std::string& layer) {
    const auto found = layers.find(layer);
    return found == layers.end() ? Json::array() : found->second;
  };
  Json layer{{"name", name}, {"description", activation.description()}};
  layer["inputs"] = rows_of(inputs, name);
  const auto* rational = dynamic_cast<const Rational*>(&activation);
  if (!rational) {
    layer["curve"] = curve_of(activation, layer["inputs"]);
    return layer;
  }
  layer["groups"] = rational->groups();
  layer["formula"] = formula_of(*rational);
  layer["functions"] = rows_of(coefficients, rational->groups() > 1 ? name + "[0]" : name);
  const int64_t count = rational->numerator.extent(1) + rational->denominator.extent(1);
  for (const Json& function : layer["functions"])
    check(static_cast<int64_t>(function.at("coefficients").size()) == count,
          folder.file("activations.csv"), ": expected ", count, " coefficients of ", name, ", got ",
          function.at("coefficients").size());
  return layer;
}

Json layers_of(const RunFolder& folder, Module& network) {
  const auto coefficients = coefficients_of(folder), inputs = inputs_of(folder);
  Json layers = Json::array();
  network.for_each_module([&](const std::string& name, Module& module) {
    if (const auto* activation = dynamic_cast<Activation*>(&module))
      layers.push_back(layer_of(name, *activation, folder, coefficients, inputs));
  });
  return layers;
}

/// As text that can stand in a <script>: nothing in it ends that, or begins a comment.
std::string for_script(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  }
  return text;
}

}  // namespace

void write_report(const RunFolder& folder, Module& network, const std::string& record) {
  const Json report{{"run", Json::parse(record)},
                    {"metrics", metrics_of(folder)},
                    {"layers", layers_of(folder, network)}};
  std::string page(report_template());
  const size_t place = page.find(kPlaceOfData);
  check(place != std::string::npos, "report.html has no place for the run's data");
  write_file_atomically(folder.file("report.html"),
                        page.replace(place, kPlaceOfData.size(), for_script(report)));
}

}  // namespace pade::support
