// Classifies images of yours with the trained network of a run folder.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <new>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/parallel.h>
#include <pade/data/image_file.h>
#include <pade/data/image_folder.h>
#include <pade/data/loader.h>

#include "models/trained_network.h"
#include "support/command.h"
#include "support/number_option.h"
#include "support/options.h"
#include "support/terminal.h"
#include "support/trained_run.h"

using namespace pade;
using namespace pade::support;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// So many images are decoded, and go through the network, together.
constexpr size_t kBatch = 256;

struct Options {
  std::string run, weights = "last", device = "cpu";
  std::vector<std::string> paths;
  int64_t top = 5;
  int threads = 0;
  bool json = false;
};

/// A file, and what the network says of it, or why it says nothing.
struct Answer {
  fs::path path;
  std::string error;
  std::vector<double> probabilities;  ///< by label
};

bool ends_as_images_do(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  const auto known = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm"};
  return std::ranges::find(known, ending) != known.end();
}

/// The images in a folder, sorted, or the file itself; a folder without any is an error of its own.
std::vector<Answer> images_at(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {{path, "", {}}};
  std::vector<Answer> found;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::end(entry); entry.increment(error))
    if (ends_as_images_do(entry->path()) && !fs::is_directory(entry->path()))
      found.push_back({entry->path(), "", {}});
  if (error) return {{path, "the folder cannot be read: " + error.message(), {}}};
  if (found.empty())
    return {{path,
             "there are no images in it, whose names end in png, jpg, jpeg, bmp, ppm or pgm",
             {}}};
  std::ranges::sort(found, {}, &Answer::path);
  return found;
}

std::vector<double> softmax(std::span<const float> logits) {
  const double highest = *std::ranges::max_element(logits);
  std::vector<double> shares;
  for (const float logit : logits) shares.push_back(std::exp(logit - highest));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

/// Asks the network about the files that can be read.
void classify(std::span<Answer> answers, Module& network, const data::DatasetInfo& images,
              Device device) {
  const Shape& shape = images.image_shape;
  const auto count = std::ssize(answers);
  Tensor pixels = Tensor::empty({count, shape[0], shape[1], shape[2]}, DType::uint8);
  uint8_t* planes = pixels.mutable_data<uint8_t>();
  const int64_t max_pixels = data::ImageFolderOptions().max_pixels;
  parallel_for(count, 1, [&](int64_t i, int64_t) {
    Answer& answer = answers[i];
    if (!answer.error.empty()) return;
    try {
      resize_to_planes(data::read_image(answer.path, shape[0], max_pixels), {shape[1], shape[2]},
                       planes + i * shape.size());
    } catch (const Error& error) {
      answer.error = error.what();
    } catch (const std::bad_alloc&) {
      answer.error = "there is not enough memory to decode it";
    }
  });
  std::vector<data::StoredDataset::Sample> read;
  for (int64_t i = 0; i < count; ++i)
    if (answers[i].error.empty()) read.emplace_back(i, 0);
  if (read.empty()) return;
  const data::StoredDataset set(images, pixels, read);
  for (auto [batch, labels] :
       data::Loader(set, {.batch_size = std::ssize(read), .device = device})) {
    const std::vector<float> logits = network(batch).to_vector<float>();
    const size_t classes = logits.size() / read.size();
    for (size_t row = 0; row < read.size(); ++row) {
      Answer& answer = answers[read[row].first];
      answer.probabilities = softmax(std::span(logits).subspan(row * classes, classes));
      if (!std::isfinite(answer.probabilities[0])) answer.error = "the network computes NaN for it";
    }
  }
}

/// Labels of the highest probabilities, the highest first.
std::vector<size_t> best_labels(const std::vector<double>& probabilities, int64_t top) {
  std::vector<size_t> labels(probabilities.size());
  std::iota(labels.begin(), labels.end(), 0);
  std::ranges::stable_sort(labels,
                           [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  labels.resize(std::min(labels.size(), static_cast<size_t>(top)));
  return labels;
}

void print(const Answer& answer, const std::vector<std::string>& names, int64_t top) {
  const std::vector<size_t> labels = best_labels(answer.probabilities, top);
  size_t width = 0;
  for (const size_t label : labels) width = std::max(width, count_characters(names[label]));
  std::cout << answer.path.string() << '\n' << std::fixed << std::setprecision(2);
  for (const size_t label : labels)
    std::cout << "  " << names[label] << std::string(width - count_characters(names[label]), ' ')
              << std::setw(8) << 100 * answer.probabilities[label] << " %\n";
}

Json to_json(const Answer& answer, const std::vector<std::string>& names, int64_t top) {
  Json json{{"image", answer.path.string()}};
  if (!answer.error.empty()) {
    json["error"] = answer.error;
    return json;
  }
  json["predictions"] = Json::array();
  for (const size_t label : best_labels(answer.probabilities, top))
    json["predictions"].push_back(
        {{"class", names[label]}, {"label", label}, {"probability", answer.probabilities[label]}});
  return json;
}

int predict(const Options& options) {
  if (options.threads > 0) set_num_threads(options.threads);
  const Device device = device_named(options.device);
  require_available(device);
  const SafetensorsFile weights = read_weights(options.run, options.weights);
  const TrainedRun run = read_trained_run(options.run, weights);
  Sequential network = models::trained_network(run, weights);
  network.to(device);

  std::vector<Answer> answers;
  for (const std::string& path : options.paths)
    for (Answer& image : images_at(path)) answers.push_back(std::move(image));
  const std::vector<std::string>& names = run.images.class_names;
  Json json{{"run", options.run},           {"weights", weights.path}, {"model", run.model},
            {"activation", run.activation}, {"dataset", run.dataset},  {"images", Json::array()}};
  bool all = true;
  for (size_t begin = 0; begin < answers.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, answers.size() - begin);
    classify(std::span(answers).subspan(begin, count), network, run.images, device);
    for (size_t i = begin; i < begin + count; ++i) {
      Answer answer = std::move(answers[i]);
      all = all && answer.error.empty();
      if (options.json) json["images"].push_back(to_json(answer, names, options.top));
      if (!answer.error.empty())
        std::cerr << "predict: " << answer.path.string() << ": " << answer.error << '\n';
      else if (!options.json)
        print(answer, names, options.top);
    }
  }
  if (options.json) std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  return all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Classifies images with the trained network of a run folder.", "predict");
  app.footer(
      examples_text({{"runs/… photo.png", "the five most likely classes"},
                     {"runs/… photos --top 1 --json", "of all images in a folder, for programs"}}) +
      "\nImages are shrunk or enlarged to what the network takes, and otherwise used as they are: "
      "those\nof mnist and fashion-mnist are white on black, so a black digit on white paper has "
      "to be\ninverted first. Exit code 1 says that the run or some image could not be read.");
  Options options;
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("run", options.run, "a run folder of lenet or cifar")
      ->type_name("RUN")
      ->required();
  app.add_option(
         "image", options.paths,
         "PNG, JPEG, BMP, PPM and PGM files; or a folder, for those in it, by name, without "
         "its sub-folders")
      ->type_name("IMAGE|FOLDER")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->required();
  add_number(app, "--top", options.top, "classes that are shown of each",
             {.least = 1, .most = 1'000'000})
      ->capture_default_str();
  app.add_flag("--json", options.json, "one JSON document instead of tables");
  app.add_option("--weights", options.weights,
                 "those after the last epoch, whose figures a run ends with, or after the one that "
                 "was best on the test images")
      ->check(one_of({"best", "last"}, "weights"))
      ->capture_default_str();
  app.add_option("--device", options.device, "where to compute")
      ->check(one_of({"cpu", "cuda"}, "device"))
      ->capture_default_str();
  add_number(app, "--threads", options.threads, "0: all processors",
             {.least = 0, .most = kMostThreads})
      ->capture_default_str();
  return run_program(app, argc, argv, [&] { return predict(options); });
}
