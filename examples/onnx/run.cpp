#include "onnx/run.h"

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>

#include "models/trained_network.h"
#include "onnx/network.h"
#include "support/json_file.h"

namespace pade::onnx {
namespace {

using Json = nlohmann::ordered_json;

/// A text of run.json's options, or what else stands there.
std::string option_text(const Json& record, const char* name) {
  const Json& value = record.at("options").at(name);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Description description_of(const Json& record, const support::TrainedRun& run,
                           const std::string& which) {
  const bool is_last = which == "last";
  Description description{.name = run.model, .text = "", .metadata = {}};
  for (const char* name : {"model", "activation", "dataset", "epochs", "seed"})
    description.metadata[name] = option_text(record, name);
  description.metadata["input_mean"] = record.at("input").at("mean").dump();
  description.metadata["input_std"] = record.at("input").at("std").dump();
  description.metadata["class_names"] = Json(run.images.class_names).dump();
  if (is_last && record.contains("final"))
    description.metadata["test_accuracy"] = record.at("final").at("test_accuracy").dump();
  const Json& build = record.at("build");
  description.metadata["trained_by"] = "Padé " + build.at("version").get<std::string>() + " (" +
                                       build.at("commit").get<std::string>() + ")";
  description.text = run.model + " with the activation " + run.activation + ", trained by " +
                     description.metadata["trained_by"] + " on " + run.dataset + " (seed " +
                     option_text(record, "seed") + ", " +
                     (is_last ? "after the last epoch" : "after the best epoch") +
                     "). images: (pixel/255 - input_mean) / input_std, channel by channel; "
                     "logits: one for each of class_names.";
  return description;
}

}  // namespace

TrainedNetwork read_network(const std::string& folder, const std::string& which) {
  const SafetensorsFile weights = support::read_weights(folder, which);
  const support::TrainedRun run = support::read_trained_run(folder, weights);
  const std::string path = folder + "/run.json";
  const Json record = support::read_json(path, "a run record");
  try {
    return {record, models::trained_network(run, weights), run.images.image_shape,
            description_of(record, run, which)};
  } catch (const Json::exception& error) {
    fail(path, ": is not a run record: ", error.what());
  }
}

std::string onnx_of_run(const std::string& folder, const std::string& which) {
  TrainedNetwork trained = read_network(folder, which);
  return onnx_of(trained.network, trained.image, trained.description);
}

}  // namespace pade::onnx
