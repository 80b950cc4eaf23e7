#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <pade/core/device.h>
#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/text_stream.h>
#include <pade/data/open_dataset.h>

#include "lab/findings.h"
#include "lab/function_text.h"
#include "lab/lab.h"
#include "models/trained_network.h"
#include "support/evaluate.h"
#include "support/json_file.h"
#include "support/learned_layers.h"
#include "support/number_option.h"
#include "support/options.h"
#include "support/trained_run.h"

namespace pade::lab {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string run, data, device = "cpu";
  std::optional<int64_t> test_limit;
  bool json = false;
};

/// a f(b x + c) + d in the place of a learned activation.
class ScaledActivation : public Activation {
 public:
  explicit ScaledActivation(const ScaledFormula& function)
      : function_(function), inner_(function.formula->name, function.formula->starts()) {}

  /// f alone: there is no SPEC for the rest.
  ActivationFunction as_function(int64_t group = 0) const override {
    return inner_.as_function(group);
  }
  bool is_learned() const override { return false; }
  std::string formula() const override { return text_of(function_); }
  std::string spec() const override { return inner_.spec(); }
  std::string description() const override { return text_of(function_); }

 protected:
  Tensor forward(const Tensor& x) override {
    return inner_(x * function_.b + function_.c) * function_.a + function_.d;
  }

 private:
  ScaledFormula function_;
  FormulaActivation inner_;
};

/// A layer with the formula that took its place, and what the network made of that.
struct Distilled {
  std::string layer;
  NearestFormula nearest;
  double accuracy;
};

/// Puts the formula where the layer is. Returns the learned activation.
std::unique_ptr<Module> put(Module& network, const Distilled& layer) {
  return network.replace(layer.layer, std::make_unique<ScaledActivation>(layer.nearest.function));
}

void print(double learned, const std::vector<Distilled>& layers, double all) {
  size_t width = std::string("layer").size();
  for (const Distilled& one : layers) width = std::max(width, one.layer.size());
  TextStream out;
  const auto line = [&](const std::string& layer, double accuracy, const std::string& text) {
    out << std::left << std::setw(static_cast<int>(width)) << layer << std::right << std::fixed
        << std::setprecision(2) << std::setw(10) << 100 * accuracy << std::setw(12)
        << 100 * (learned - accuracy) << "  " << text << '\n';
  };
  out << std::left << std::setw(static_cast<int>(width)) << "layer"
      << "    test, %  points lost  instead\n";
  line("none", learned, "all as they were learned");
  for (const Distilled& one : layers)
    line(one.layer, one.accuracy,
         text_of(one.nearest.function) + ", RMS distance " + short_number(one.nearest.rms));
  line("all", all, "all of these");
  std::cout << out.str();
}

Json to_json(const std::string& layer, double learned, double accuracy) {
  return {{"layer", layer}, {"accuracy", accuracy}, {"points_lost", 100 * (learned - accuracy)}};
}

int distil(const Options& options) {
  const Device device = device_named(options.device);
  require_available(device);
  const support::LearnedNetwork learned_layers = support::read_learned_network(options.run, "");
  const SafetensorsFile weights = support::read_weights(options.run, "last");
  const support::TrainedRun run = support::read_trained_run(options.run, weights);
  const Json record = support::read_json(options.run + "/run.json", "a run record");
  const std::string data =
      options.data.empty() ? record["options"].value("data", std::string()) : options.data;
  const auto test = data::open_dataset(run.dataset, data::Split::test, data);
  Sequential network = models::trained_network(run, weights);
  network.to(device);
  const auto accuracy = [&] {
    return support::evaluate(network, *test, device, options.test_limit).accuracy;
  };

  const double learned = accuracy();
  std::vector<Distilled> layers;
  for (const support::LearnedLayer& layer : learned_layers.layers) {
    check(layer.groups == 1, options.run, ": ", layer.name, " has a function for each of its ",
          layer.groups, " groups; one formula cannot take their place");
    const auto found = find_out(layer.now, SeenInputs(layer.inputs));
    check(found && found->nearest, options.run, ": ", layer.name,
          ": no formula is near, as its values are not finite");
    Distilled one{layer.name, *found->nearest, 0};
    std::unique_ptr<Module> before = put(network, one);
    one.accuracy = accuracy();
    network.replace(one.layer, std::move(before));
    layers.push_back(one);
  }
  for (const Distilled& one : layers) put(network, one);
  const double all = accuracy();
  if (!options.json) {
    print(learned, layers, all);
    return 0;
  }
  Json json{{"run", options.run}, {"accuracy", learned}, {"layers", Json::array()}};
  for (const Distilled& one : layers) {
    json["layers"].push_back(to_json(one.layer, learned, one.accuracy));
    json["layers"].back()["formula"] = text_of(one.nearest.function);
    json["layers"].back()["rms"] = one.nearest.rms;
  }
  json["all"] = to_json("all", learned, all);
  std::cout << json.dump(2) << '\n';
  return 0;
}

}  // namespace

void add_distil(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "distil",
      "what a network loses with the nearest known formulas in the place of what it learned");
  command->add_option("run", options->run, "a run folder of lenet or cifar")->required();
  command->add_option("--data", options->data, "folder with the dataset's files [the run's]");
  support::add_number(*command, "--test-limit", options->test_limit,
                      "use only the first N test images", {.least = 1});
  command->add_option("--device", options->device, "where to compute")
      ->check(support::one_of({"cpu", "cuda"}, "device"))
      ->capture_default_str();
  command->add_flag("--json", options->json, "figures as JSON");
  command->callback([options, &work] { work = [options] { return distil(*options); }; });
}

}  // namespace pade::lab
