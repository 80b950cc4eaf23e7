#include "onnx/run.h"

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/io/safetensors.h>
#include <pade/layers/network_file.h>

#include "models/lenet.h"
#include "models/models.h"
#include "onnx/network.h"
#include "support/class_names.h"
#include "support/json_file.h"

namespace pade::onnx {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The last layer's: the rows of the file's last matrix.
int64_t classes_in(const SafetensorsFile& weights) {
  int64_t classes = 0;
  for (const auto& [name, tensor] : weights.tensors)
    if (name.ends_with(".weight") && tensor.rank() == 2) classes = tensor.extent(0);
  check(classes > 0, weights.path,
        ": has no weights of a linear layer, which every network ends with");
  return classes;
}

/// [channels, height, width]. Of the programs' data sets, those of one channel have 28×28 pixels.
Shape image_of(const Json& record) {
  const Json& input = record.at("input");
  const size_t channels = input.at("mean").get<std::vector<double>>().size();
  check(input.at("std").get<std::vector<double>>().size() == channels,
        "expected as many standard deviations as means");
  check(channels == 1 || channels == 3, "expected the means of 1 or 3 channels, got ", channels);
  return channels == 1 ? Shape{1, 28, 28} : Shape{3, 32, 32};
}

/// That of a PreActResNet, where one was chosen. Memory for a network of that width is not asked
/// for unless the file can hold a convolution of its last stage, 3×3 from 8·width to 8·width.
std::optional<int64_t> width_of(const Json& options, const SafetensorsFile& weights) {
  const Json width = options.value("width", Json());
  if (width.is_null()) return std::nullopt;
  int64_t numbers = 0;
  for (const auto& [name, tensor] : weights.tensors) numbers += tensor.size();
  const double channels = 8 * width.get<double>();
  check(9 * channels * channels <= static_cast<double>(numbers), "a network of width ", width,
        " does not fit ", weights.path, ", which has ", numbers, " numbers");
  return width.get<int64_t>();
}

Sequential make_network(const Json& record, const SafetensorsFile& weights) {
  const Json& options = record.at("options");
  const auto model = options.at("model").get<std::string>();
  const auto activation = options.at("activation").get<std::string>();
  const int64_t classes = classes_in(weights);
  const Shape image = image_of(record);
  Sequential network =
      model == "lenet"
          ? models::lenet(activation,
                          {.classes = classes, .channels = image[0], .image_size = image[1]})
          : models::make_model(model, activation, classes, width_of(options, weights));
  adopt_activations(network, weights);
  return network;
}

/// A text of run.json's options, or what else stands there.
std::string option_text(const Json& record, const char* name) {
  const Json& value = record.at("options").at(name);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Of a folder of images as the record has them; none of a data set that is not known.
std::vector<std::string> classes_of(const Json& record, int64_t count) {
  const auto names = record.contains("classes")
                         ? record.at("classes").get<std::vector<std::string>>()
                         : support::class_names(option_text(record, "dataset"));
  check(names.empty() || std::ssize(names) == count, "there are the names of ", names.size(),
        " classes, and the network has ", count);
  return names;
}

Description description_of(const Json& record, const std::string& file,
                           const std::vector<std::string>& classes) {
  const std::string model = option_text(record, "model"), dataset = option_text(record, "dataset");
  const bool is_last = file == "last.safetensors";
  Description description{.name = model, .text = "", .metadata = {}};
  for (const char* name : {"model", "activation", "dataset", "epochs", "seed"})
    description.metadata[name] = option_text(record, name);
  description.metadata["input_mean"] = record.at("input").at("mean").dump();
  description.metadata["input_std"] = record.at("input").at("std").dump();
  if (!classes.empty()) description.metadata["class_names"] = Json(classes).dump();
  if (is_last && record.contains("final"))
    description.metadata["test_accuracy"] = record.at("final").at("test_accuracy").dump();
  const Json& build = record.at("build");
  description.metadata["trained_by"] = "Padé " + build.at("version").get<std::string>() + " (" +
                                       build.at("commit").get<std::string>() + ")";
  description.text = model + " with the activation " + option_text(record, "activation") +
                     ", trained by " + description.metadata["trained_by"] + " on " + dataset +
                     " (seed " + option_text(record, "seed") + ", " +
                     (is_last ? "after the last epoch" : "after the best epoch") +
                     "). images: (pixel/255 - input_mean) / input_std, channel by channel; "
                     "logits: one for each of class_names.";
  return description;
}

}  // namespace

TrainedRun read_run(const std::string& folder, const std::string& file) {
  check(fs::is_directory(folder), "run folder ", folder, ": there is no such folder");
  const std::string record_path = folder + "/run.json", weights_path = folder + "/" + file;
  const Json record = support::read_json(record_path, "a run record");
  check(fs::exists(weights_path), "run folder ", folder, ": has no ", file,
        ", which a run leaves after its first epoch");
  const SafetensorsFile weights = read_safetensors(weights_path);
  try {
    TrainedRun run = with_path_in_errors(record_path, [&]() -> TrainedRun {
      return {record, make_network(record, weights), image_of(record),
              description_of(record, file, classes_of(record, classes_in(weights)))};
    });
    load_into(run.network.state(), weights);
    run.network.eval();
    return run;
  } catch (const Json::exception& error) {
    fail(record_path, ": is not a run record: ", error.what());
  }
}

std::string onnx_of_run(const std::string& folder, const std::string& file) {
  TrainedRun run = read_run(folder, file);
  return onnx_of(run.network, run.image, run.description);
}

}  // namespace pade::onnx
