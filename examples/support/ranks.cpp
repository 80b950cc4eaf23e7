#include "support/ranks.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <pade/core/build_info.h>
#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/text_stream.h>

namespace pade::support {
namespace {

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

/// The host, and the processors there that this process may use.
std::string place_of_process() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::string place = host_name() + ' ';
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) place += CPU_ISSET(cpu, &allowed) ? '1' : '0';
  return place;
}

/// Has this process see one GPU only: that of its number among the ranks of its host.
void choose_gpu(Communicator& ranks) {
  const std::vector<std::string> hosts = ranks.all_gather(host_name());
  const auto own = hosts.begin() + ranks.rank();
  const auto number = static_cast<size_t>(std::count(hosts.begin(), own, *own));
  std::vector<std::string> gpus;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream list(visible);
    for (std::string gpu; std::getline(list, gpu, ',');) gpus.push_back(gpu);
  } else {
    std::error_code none;
    for ([[maybe_unused]] const auto& gpu :
         std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none))
      gpus.push_back(std::to_string(gpus.size()));
  }
  if (!gpus.empty()) setenv("CUDA_VISIBLE_DEVICES", gpus[number % gpus.size()].c_str(), 1);
}

template <class T>
std::string text_of(const T& value) {
  return nlohmann::json(value).dump();  // doubles in their shortest form
}
std::string text_of(const std::string& value) { return value; }
template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "";
}

/// Of some images of a set, and of its names: sets that differ hardly have the same.
uint64_t hash_of(const data::Dataset& set) {
  constexpr int64_t kImages = 64;
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  const auto add = [&](const auto& bytes) {
    for (const auto byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211u;
  };
  std::vector<uint8_t> pixels(static_cast<size_t>(set.image_shape().size()));
  for (int64_t i = 0; i < std::min(kImages, set.size()); ++i) {
    const int32_t label = set.read(i * set.size() / std::min(kImages, set.size()), pixels.data());
    add(pixels);
    add(std::to_string(label));
  }
  for (const std::string& name : set.class_names()) add(name);
  return hash;
}

/// Lines of a name and a value, of all that ranks must have alike.
std::string description_of(const std::string& program, const TrainingOptions& options,
                           const data::DatasetSplits& splits) {
  TextStream text;
  const BuildInfo build = build_info();
  text << "the program\t" << program << "\nthe version\t" << build.version << ' ' << build.commit
       << "\nthe compiler\t" << build.compiler << "\nthe BLAS\t" << build.blas << '\n';
  for_each_recorded(options, [&](const std::string& name, const auto& value) {
    if (name == "threads" || name == "data") return;
    text << "--" << name << '\t' << text_of(value) << '\n';
  });
  text << "--resume\t" << options.resume << '\n';
  for (const auto& [name, set] :
       {std::pair("training", splits.train.get()), {"test", splits.test.get()}})
    text << "the " << name << " set\t" << set->size() << " images with hash " << hash_of(*set)
         << '\n';
  return text.str();
}

}  // namespace

TrainingOptions options_of_rank(TrainingOptions options, Communicator& ranks) {
  if (ranks.size() == 1) return options;
  options.quiet = options.quiet || ranks.rank() > 0;
  if (options.device == "cuda") choose_gpu(ranks);
  const std::vector<std::string> places = ranks.all_gather(place_of_process());
  const auto sharing = std::ranges::count(places, places[static_cast<size_t>(ranks.rank())]);
  if (options.threads == 0 && !std::getenv("OMP_NUM_THREADS"))
    set_num_threads(std::max(1, num_threads() / static_cast<int>(sharing)));
  return options;
}

void check_ranks_agree(const std::string& program, const TrainingOptions& options,
                       const data::DatasetSplits& splits, Communicator& ranks) {
  if (ranks.size() == 1) return;
  const std::string own = description_of(program, options, splits);
  const std::vector<std::string> all = ranks.all_gather(own), hosts = ranks.all_gather(host_name());
  std::string differences;
  for (size_t r = 1; r < all.size(); ++r) {
    std::istringstream lines(all[r]), first_lines(all[0]);
    for (std::string line, first; std::getline(lines, line) && std::getline(first_lines, first);) {
      if (line == first) continue;
      const auto value = [](const std::string& text) {
        const std::string value = text.substr(text.find('\t') + 1);
        return value.empty() ? std::string("not given") : value;
      };
      differences += "; rank " + std::to_string(r) + " on " + hosts[r] + ": " +
                     line.substr(0, line.find('\t')) + " is " + value(line) + ", and on rank 0 " +
                     value(first);
    }
  }
  check(differences.empty(), "the ranks do not do the same", differences);
}

bool is_so_anywhere(bool here, Communicator& ranks) {
  const Tensor count = Tensor::scalar(here ? 1 : 0);
  ranks.all_reduce(count);
  return count.item() > 0;
}

}  // namespace pade::support
