#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "lab/findings.h"
#include "lab/function_text.h"
#include "lab/lab.h"

namespace pade::lab {
namespace {

using support::LayerInputs;
using support::LearnedLayer;
using support::LearnedNetwork;

using Json = nlohmann::ordered_json;

struct Options {
  std::string path, activation;
  Interval interval;
  bool json = false;
};

std::string percent(double share) {
  const double value = 100 * share;
  return short_number(std::round(10 * value) / 10) + " %";
}

// ------------------------------------------------------------------------------------ as text

/// A line of a layer: what it is about, and what there is to say.
void print_line(const std::string& label, const std::string& text) {
  std::cout << "  " << std::left << std::setw(7) << label << text << '\n';
}

void print_inputs(const std::optional<LayerInputs>& inputs, const SeenInputs& seen) {
  const std::string evenly =
      "looked at evenly from " + short_number(seen.low) + " to " + short_number(seen.high);
  if (!inputs) return print_line("inputs", "not known; " + evenly);
  if (inputs->count == 0) return print_line("inputs", "no finite ones; " + evenly);
  const Histogram& bars = inputs->histogram;
  const double high = bars.low + bars.width * static_cast<double>(bars.counts.size());
  print_line("inputs", short_number(bars.low) + " " + bars_of(bars) + " " + short_number(high));
  std::string text = "after epoch " + std::to_string(inputs->epoch) + ": " +
                     std::to_string(inputs->count) + ", mean " + short_number(inputs->mean) +
                     ", std " + short_number(inputs->std) + ", from " + short_number(inputs->min) +
                     " to " + short_number(inputs->max);
  if (inputs->nan > 0) text += "; " + std::to_string(inputs->nan) + " NaN";
  if (inputs->infinite > 0) text += "; " + std::to_string(inputs->infinite) + " infinite";
  print_line("", text);
  if (seen.evenly) print_line("", evenly);
}

void print_function(const std::string& label, const ActivationFunction& g, const SeenInputs& seen) {
  constexpr size_t kLabel = 9, kIndent = kLabel + 4;
  if (const RationalFunction* rational = g.rational()) {
    print_line(label, "P = " + broken(numerator_text(*rational), kIndent));
    print_line("", "Q = " + broken(denominator_text(*rational), kIndent));
  } else {
    print_line(label, broken(constants_text(g), kLabel));
  }
  const auto found = find_out(g, seen);
  if (!found) return print_line("", "coefficients are not finite");
  if (found->nearest)
    print_line("", "near " + text_of(found->nearest->function) + ", RMS distance " +
                       short_number(found->nearest->rms));
  const auto at = [](const ValueAt& place) {
    return short_number(place.value) + " at " + short_number(place.x);
  };
  print_line("", "dead " + percent(found->dead_share) +
                     (found->min_denominator ? ", min Q " + at(*found->min_denominator) : "") +
                     ", max |G'| " + at(found->max_slope));
  if (found->poles.empty()) return;
  std::string poles;
  for (const double x : found->poles) poles += (poles.empty() ? "" : ", ") + short_number(x);
  print_line("", "poles at " + poles);
}

/// "degrees 5/4, hermite_he, termwise", or "swish, x sigmoid(beta x)".
std::string title_of(const ActivationFunction& g) {
  if (g.formula()) return std::string(g.formula()->name) + ", " + g.formula()->text;
  const RationalFunction& rational = *g.rational();
  return "degrees " + std::to_string(rational.numerator_degree()) + '/' +
         std::to_string(rational.denominator_degree()) + ", " + name_of(rational.options.basis) +
         ", " + name_of(rational.options.form);
}

void print_layer(const LearnedLayer& layer, const Interval& interval) {
  std::cout << '\n'
            << (layer.name.empty() ? "the layer" : layer.name) << ": " << title_of(layer.now);
  if (layer.groups > 1) std::cout << ", the first of " << layer.groups << " groups";
  std::cout << '\n';
  const SeenInputs seen(layer.inputs, interval);
  print_inputs(layer.inputs, seen);
  if (layer.start) print_function("start", *layer.start, seen);
  print_function("now", layer.now, seen);
}

void print_text(const LearnedNetwork& network, const Interval& interval) {
  std::cout << network.file;
  if (!network.activation.empty()) std::cout << ", activation " << network.activation;
  std::cout
      << "\nG = P/Q, or a formula. Over the inputs seen: the nearest a f(b x + c) + d of the known "
         "formulas\nf; dead, the share with |G'| < 0.001; the smallest Q; the largest |G'|.\n";
  for (const LearnedLayer& layer : network.layers) print_layer(layer, interval);
}

// ------------------------------------------------------------------------------------ as JSON

/// JSON has no infinities and no NaN.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (const double value : values) array.push_back(number(value));
  return array;
}

Json to_json(const ValueAt& place) {
  return {{"value", number(place.value)}, {"x", number(place.x)}};
}

Json to_json(const NearestFormula& nearest) {
  const ScaledFormula& f = nearest.function;
  return {{"formula", f.formula->name},
          {"a", f.a},
          {"b", f.b},
          {"c", f.c},
          {"d", f.d},
          {"free_parameters", nearest.free_parameters},
          {"rms", nearest.rms},
          {"text", text_of(f)}};
}

Json to_json(const ActivationFunction& g, const SeenInputs& seen) {
  Json json{{"coefficients", Json::object()}};
  const std::vector<std::string> names = g.names();
  const std::vector<double> values = g.values();
  for (size_t k = 0; k < names.size(); ++k) json["coefficients"][names[k]] = number(values[k]);
  if (const RationalFunction* rational = g.rational()) {
    json["numerator"] = numbers(rational->c);
    json["denominator"] = numbers(rational->d);
    json["numerator_text"] = numerator_text(*rational);
    json["denominator_text"] = denominator_text(*rational);
  }
  const auto found = find_out(g, seen);
  if (!found) return json;
  json["nearest"] = found->nearest ? to_json(*found->nearest) : Json(nullptr);
  json["dead_share"] = found->dead_share;
  if (found->min_denominator) json["min_denominator"] = to_json(*found->min_denominator);
  json["max_slope"] = to_json(found->max_slope);
  json["poles"] = numbers(found->poles);
  return json;
}

Json to_json(const LayerInputs& inputs) {
  const Histogram& bars = inputs.histogram;
  return {{"epoch", inputs.epoch},
          {"count", inputs.count},
          {"nan", inputs.nan},
          {"infinite", inputs.infinite},
          {"mean", number(inputs.mean)},
          {"std", number(inputs.std)},
          {"min", number(inputs.min)},
          {"max", number(inputs.max)},
          {"histogram",
           {{"low", number(bars.low)},
            {"width", number(bars.width)},
            {"below", bars.below},
            {"above", bars.above},
            {"counts", bars.counts}}}};
}

Json to_json(const LearnedLayer& layer, const Interval& interval) {
  const SeenInputs seen(layer.inputs, interval);
  Json json{{"name", layer.name}, {"groups", layer.groups}};
  if (const RationalFunction* rational = layer.now.rational()) {
    json["basis"] = name_of(rational->options.basis);
    json["form"] = name_of(rational->options.form);
    json["degrees"] = {rational->numerator_degree(), rational->denominator_degree()};
  } else {
    json["formula"] = layer.now.formula()->name;
  }
  json["low"] = seen.low;
  json["high"] = seen.high;
  json["inputs"] = layer.inputs ? to_json(*layer.inputs) : Json(nullptr);
  json["start"] = layer.start ? to_json(*layer.start, seen) : Json(nullptr);
  json["now"] = to_json(layer.now, seen);
  return json;
}

void print_json(const LearnedNetwork& network, const Interval& interval) {
  const auto text = [](const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
  };
  Json json{{"run", text(network.folder)},
            {"file", network.file},
            {"activation", text(network.activation)},
            {"layers", Json::array()}};
  for (const LearnedLayer& layer : network.layers)
    json["layers"].push_back(to_json(layer, interval));
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

int inspect(const Options& options) {
  const LearnedNetwork network = support::read_learned_network(options.path, options.activation);
  options.json ? print_json(network, options.interval) : print_text(network, options.interval);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "inspect", "what the learned activations of a run or a checkpoint have become");
  command->add_option("path", options->path, "a run folder, or a safetensors file")
      ->type_name("RUN|FILE")
      ->required();
  add_activation(*command, options->activation)
      ->description("SPEC of the layers, where the file does not say what they are");
  add_interval(*command, options->interval, "where the inputs were");
  command->add_flag("--json", options->json, "everything as JSON");
  command->callback([options, &work] { work = [options] { return inspect(*options); }; });
}

}  // namespace pade::lab
