#include "support/report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/file.h>

#include "support/csv.h"
#include "support/curve.h"
#include "support/run_history.h"

namespace pade::support {

/// report.html of this folder, and the scripts that it names. The build makes them part of the
/// program.
std::string_view report_template();
std::string_view report_functions();
std::string_view report_sliders();
std::string_view report_reload();

namespace {

using Json = nlohmann::ordered_json;

constexpr int kPoints = 161;
/// The groups whose coefficients a page has, for its sliders. A layer may have one for each of its
/// channels: with all of them, a page of many epochs would be too large to open.
constexpr size_t kGroups = 32;

void put(std::string& page, std::string_view place, std::string_view text) {
  const size_t at = page.find(place);
  check(at != std::string::npos, "report.html has no place for what is put at ", place);
  page.replace(at, place.size(), text);
}

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

/// As many digits as a plot can show. What is not finite is null.
Json rounded(const std::vector<double>& values) {
  Json numbers = Json::array();
  for (const double value : values) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6);
    double read = 0;
    std::from_chars(text, end.ptr, read);
    numbers.push_back(std::isfinite(read) ? Json(read) : Json());
  }
  return numbers;
}

Json to_json(const LayerInputs& inputs) {
  const Histogram& bars = inputs.histogram;
  return {{"epoch", inputs.epoch},       {"count", inputs.count}, {"nan", inputs.nan},
          {"infinite", inputs.infinite}, {"mean", inputs.mean},   {"std", inputs.std},
          {"min", inputs.min},           {"max", inputs.max},     {"low", bars.low},
          {"width", bars.width},         {"below", bars.below},   {"above", bars.above},
          {"counts", bars.counts}};
}

/// The functions by their values at evenly spaced points, of several groups the mean, and the least
/// and the largest value; and by the coefficients of the first kGroups.
Json to_json(const LayerHistory& layer) {
  const std::vector<double> x = even_points(layer.low, layer.high, kPoints);
  std::vector<double> all;
  Json functions = Json::array();
  size_t groups = 1;
  for (const LayerFunctions& at : layer.functions) {
    groups = at.groups.size();
    const Band band = band_of(at.groups, x);
    Json function{{"epoch", at.epoch}, {"values", rounded(band.mean)}};
    for (size_t group = 0; layer.learned && group < std::min(groups, kGroups); ++group)
      function["coefficients"].push_back(at.groups[group].values());
    if (groups > 1) {
      function["least"] = rounded(band.least);
      function["largest"] = rounded(band.largest);
    }
    functions.push_back(function);
    for (const auto& values : {band.mean, band.least, band.largest})
      all.insert(all.end(), values.begin(), values.end());
  }
  Json json{{"name", layer.name},           {"description", layer.description},
            {"learned", layer.learned},     {"groups", groups},
            {"x", {layer.low, layer.high}}, {"y", shown_range(all)},
            {"functions", functions},       {"inputs", Json::array()}};
  for (const LayerInputs& inputs : layer.inputs) json["inputs"].push_back(to_json(inputs));
  if (!layer.learned || layer.functions.empty()) return json;
  const ActivationFunction& function = layer.functions.front().groups.front();
  json["coefficients"] = function.names();
  if (const RationalFunction* rational = function.rational())
    json["kind"] = {{"basis", name_of(rational->options.basis)},
                    {"form", name_of(rational->options.form)}};
  else
    json["kind"] = {{"formula", function.formula()->name}};
  return json;
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
  Json layers = Json::array();
  for (const LayerHistory& layer : read_history(folder.path(), network))
    layers.push_back(to_json(layer));
  Json report{{"run", Json::parse(record)}, {"metrics", metrics_of(folder)}, {"layers", layers}};
  if (!report["run"].contains("final")) report["written"] = current_time("%Y-%m-%d %H:%M:%S");
  std::string page(report_template());
  put(page, "/* to be replaced by report_functions.js */", report_functions());
  put(page, "/* to be replaced by report_sliders.js */", report_sliders());
  put(page, "/* to be replaced by report_reload.js */", report_reload());
  put(page, "{\"to be replaced\": \"by the run\"}", for_script(report));
  write_file_atomically(folder.file("report.html"), page);
}

}  // namespace pade::support
