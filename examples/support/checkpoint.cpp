#include "support/checkpoint.h"

#include <charconv>
#include <map>
#include <system_error>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>
#include <pade/layers/network_file.h>

namespace pade::support {
namespace {

using Metadata = std::map<std::string, std::string>;

/// Calls f(key, reference) for every number of a position.
template <class P, class F>
void for_each_number(P& position, F&& f) {
  f("epoch", position.epoch);
  f("batch", position.batch);
  f("totals.loss", position.totals.loss);
  f("totals.correct", position.totals.correct);
  f("totals.images", position.totals.images);
  f("epoch_seconds", position.epoch_seconds);
  f("run_seconds", position.run_seconds);
  f("best_accuracy", position.best_accuracy);
  f("last.epoch", position.last.epoch);
  f("last.lr", position.last.lr);
  f("last.train.loss", position.last.train.loss);
  f("last.train.accuracy", position.last.train.accuracy);
  f("last.test.loss", position.last.test.loss);
  f("last.test.accuracy", position.last.test.accuracy);
  f("last.seconds", position.last.seconds);
  f("last.images_per_second", position.last.images_per_second);
}

/// The shortest digits that read back to the same bits.
template <class T>
std::string exact(T value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

template <class T>
void read_exact(const SafetensorsFile& file, const std::string& key, T& value) {
  const auto found = file.metadata.find(key);
  check(found != file.metadata.end(), file.path, ": is not a training state: \"", key,
        "\" is missing");
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), file.path,
        ": is not a training state: \"", key, "\" is \"", text, "\"");
}

/// Everything with elements, under the names it has in the file.
NamedTensors all_tensors(const TrainingState& state) {
  NamedTensors tensors;
  const auto add = [&](const std::string& prefix, const NamedTensors& part) {
    for (const auto& [name, tensor] : part) tensors.emplace_back(prefix + name, tensor);
  };
  add("network.", state.network.state());
  add("optimizer.", state.optimizer.state());
  if (state.average) add("average.", state.average->state());
  return tensors;
}

}  // namespace

void write_state(const std::string& path, const TrainingState& state, const Position& position) {
  Metadata metadata = activation_metadata(state.network, "network.");
  for_each_number(position,
                  [&](const std::string& key, auto value) { metadata[key] = exact(value); });
  metadata["lr_factor"] = exact(state.optimizer.lr_factor());
  for (const auto& [name, rng] : state.network.generators())
    metadata["rng." + name] = exact(rng->counter());
  write_safetensors(path, all_tensors(state), metadata);
}

Position read_state(const std::string& path, const TrainingState& state) {
  const SafetensorsFile file = read_safetensors(path);
  Position position;
  for_each_number(position,
                  [&](const std::string& key, auto& value) { read_exact(file, key, value); });
  double lr_factor = 1;
  read_exact(file, "lr_factor", lr_factor);
  std::vector<std::pair<Rng*, uint64_t>> counters;
  for (const auto& [name, rng] : state.network.generators())
    read_exact(file, "rng." + name, counters.emplace_back(rng, 0).second);
  load_into(all_tensors(state), file);
  state.optimizer.set_lr_factor(lr_factor);
  for (const auto& [rng, counter] : counters) rng->set_counter(counter);
  return position;
}

}  // namespace pade::support
