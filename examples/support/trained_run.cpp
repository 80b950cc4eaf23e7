#include "support/trained_run.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>

#include "support/json_file.h"

namespace pade::support {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A whole number, which JSON also has where it writes 1e300.
int64_t count_in(const Json& value, const char* what, int64_t most) {
  check(value.is_number_integer() && value >= 1 && value <= most, what, " is ", value.dump(),
        ", expected a whole number from 1 to ", most);
  return value.get<int64_t>();
}

/// The rows of the last matrix: every network ends in a linear layer.
int64_t classes_of(const SafetensorsFile& weights) {
  for (auto tensor = weights.tensors.rbegin(); tensor != weights.tensors.rend(); ++tensor)
    if (tensor->second.rank() == 2) return tensor->second.extent(0);
  fail(weights.path, ": has no linear layer, whose rows are the classes");
}

Shape image_shape_in(const Json& input, int64_t channels) {
  if (!input.contains("shape")) {
    const int64_t side = channels == 1 ? 28 : 32;
    return {channels, side, side};
  }
  const Json& shape = input.at("shape");
  check(shape.is_array() && shape.size() == 3, "the shape of images is ", shape.dump(),
        ", expected [channels, height, width]");
  constexpr int64_t kMost = 1024;
  return {count_in(shape[0], "the number of channels", kMost),
          count_in(shape[1], "the height of images", kMost),
          count_in(shape[2], "the width of images", kMost)};
}

/// Only a network of the width that the weights have is made, in whose memory they fit.
std::optional<int64_t> width_in(const Json& options, const SafetensorsFile& weights) {
  if (!options.contains("width") || options.at("width").is_null()) return std::nullopt;
  const int64_t width = count_in(options.at("width"), "the width", 4096);
  const auto first = std::ranges::find_if(
      weights.tensors, [](const auto& entry) { return entry.second.rank() == 4; });
  check(first != weights.tensors.end() && first->second.extent(0) == width, "the width is ", width,
        ", which ", weights.path, " has not");
  return width;
}

TrainedRun read_record(const Json& record, const SafetensorsFile& weights) {
  const Json &options = record.at("options"), &input = record.at("input");
  TrainedRun run;
  options.at("model").get_to(run.model);
  options.at("activation").get_to(run.activation);
  options.at("dataset").get_to(run.dataset);
  data::DatasetInfo& images = run.images;
  images.name = run.dataset;
  images.num_classes = classes_of(weights);
  input.at("mean").get_to(images.mean);
  input.at("std").get_to(images.std);
  images.image_shape = image_shape_in(input, std::ssize(images.mean));
  run.width = width_in(options, weights);
  if (record.contains("classes"))
    record.at("classes").get_to(images.class_names);
  else
    for (int64_t label = 0; label < images.num_classes; ++label)
      images.class_names.push_back(std::to_string(label));
  check(std::ssize(images.class_names) == images.num_classes, "there are names of ",
        images.class_names.size(), " classes, and ", weights.path, " has ", images.num_classes);
  return run;
}

}  // namespace

SafetensorsFile read_weights(const std::string& folder, const std::string& which) {
  check(fs::is_directory(folder), "run folder ", folder, ": there is no such folder");
  const std::string path = folder + "/" + which + ".safetensors";
  check(fs::exists(path), "run folder ", folder, ": has no ", which,
        ".safetensors, which a run leaves after its first epoch");
  return read_safetensors(path);
}

TrainedRun read_trained_run(const std::string& folder, const SafetensorsFile& weights) {
  const std::string path = folder + "/run.json";
  const Json record = read_json(path, "a run record");
  try {
    return read_record(record, weights);
  } catch (const Error& error) {
    fail(path, ": ", error.what());
  } catch (const Json::exception& error) {
    fail(path, ": is not a run record: ", error.what());
  }
}

}  // namespace pade::support
