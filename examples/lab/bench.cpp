#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <pade/core/device.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>

#include "lab/lab.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

struct Options {
  std::vector<std::string> activations;  ///< empty: all
  std::string device = "cpu";
  int64_t n = 1 << 20;
  int rounds = 15, threads = 0;
  bool json = false;
};

double seconds_of(Device device, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  synchronize(device);
  const auto start = Clock::now();
  work();
  synchronize(device);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// Seconds of a pass, and of copying as many bytes, round by round in turn.
struct Times {
  std::vector<double> pass, copy;
};

struct Result {
  std::string spec;
  Times forward, backward;
};

/// y = x, `bytes` read and written together: float32 elements take 8.
double time_copy(Device device, const Tensor& x, Tensor& y, int64_t elements) {
  return seconds_of(device, [&] { y.slice(0, elements).copy_(x.slice(0, elements)); });
}

Result measure(const std::string& spec, const Options& options, const Tensor& x, const Tensor& dy,
               Tensor& room) {
  const Device device = x.device();
  const auto activation = make_activation(spec);
  activation->to(device);
  Result result{spec, {}, {}};
  const Tensor leaf = x.detach().requires_grad_();
  for (int round = -2; round < options.rounds; ++round) {  // the first two warm up
    Tensor y;
    const double forward = seconds_of(device, [&] { y = (*activation)(x); });
    const double forward_copy = time_copy(device, x, room, options.n);
    Tape tape;
    y = (*activation)(leaf);
    Tensor total = Tensor::zeros({1}, DType::float32, device);
    record("upstream", {&y}, total, {}, [&](Gradients& gradients) { gradients.set(0, dy); });
    const double backward = seconds_of(device, [&] { tape.backward(total); });
    const double backward_copy = 1.5 * time_copy(device, x, room, options.n);
    if (round < 0) continue;
    result.forward.pass.push_back(forward);
    result.forward.copy.push_back(forward_copy);
    result.backward.pass.push_back(backward);
    result.backward.copy.push_back(backward_copy);
  }
  return result;
}

/// Of a pass that must move so many bytes of each element.
struct Figures {
  double ns_per_element, gb_per_second, times_copy;

  Figures(const Times& times, double bytes, int64_t n)
      : ns_per_element(median(times.pass) * 1e9 / static_cast<double>(n)),
        gb_per_second(bytes / ns_per_element),
        times_copy(median(times.pass) / median(times.copy)) {}
  nlohmann::json to_json() const {
    return {{"ns_per_element", ns_per_element},
            {"gb_per_second", gb_per_second},
            {"times_copy", times_copy}};
  }
};

/// The columns keep apart whatever stands in them: names are as wide as the longest, and before
/// each number there is a blank.
class Table {
 public:
  explicit Table(const std::vector<std::string>& names) {
    for (const std::string& name : names) width_ = std::max(width_, static_cast<int>(name.size()));
    print_line("activation", {"forward", "GB/s", "copies", "backward", "GB/s", "copies"});
  }
  void add(const std::string& name, const Figures& forward, const Figures& backward) const {
    std::vector<std::string> fields;
    for (const Figures& f : {forward, backward})
      for (const double value : {f.ns_per_element, f.gb_per_second, f.times_copy}) {
        TextStream text;
        text << std::fixed << std::setprecision(2) << value;
        fields.push_back(text.str());
      }
    print_line(name, fields);
  }

 private:
  void print_line(const std::string& name, const std::vector<std::string>& fields) const {
    std::cout << std::left << std::setw(width_) << name << std::right;
    for (const std::string& field : fields) std::cout << ' ' << std::setw(8) << field;
    std::cout << std::endl;
  }

  int width_ = 20;
};

int bench(const Options& options) {
  if (options.threads > 0) set_num_threads(options.threads);
  const Device device = device_named(options.device);
  require_available(device);
  std::vector<std::string> specs = options.activations;
  if (specs.empty()) {
    specs = activation_names();
    std::erase(specs, "opau");  // which has no default
  }
  Rng rng(1);
  const Tensor x = rng.normal({options.n}, 0, 1).to(device);
  const Tensor dy = rng.normal({options.n}, 0, 1).to(device);
  Tensor room = Tensor::empty({options.n}, DType::float32, device);
  nlohmann::json all = nlohmann::json::array();
  std::optional<Table> table;
  if (!options.json) table.emplace(specs);
  for (const std::string& spec : specs) {
    const Result result = measure(spec, options, x, dy, room);
    const Figures forward(result.forward, 8, options.n), backward(result.backward, 12, options.n);
    if (options.json)
      all.push_back(
          {{"activation", spec}, {"forward", forward.to_json()}, {"backward", backward.to_json()}});
    else
      table->add(spec, forward, backward);
  }
  if (options.json)
    std::cout << nlohmann::json{{"n", options.n},
                                {"device", options.device},
                                {"threads", num_threads()},
                                {"results", all}}
                     .dump(2)
              << '\n';
  else
    std::cout << "forward, backward: ns per element; GB/s of the " << 8
              << " bytes that a forward pass must move, and " << 12
              << " of a backward pass;\ncopies: the time in that of copying as many bytes, in "
              << "the same run. Medians of " << counted(options.rounds, "round") << ", "
              << counted(options.n, "element") << " of float32.\n";
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "bench", "forward and backward of each activation, beside a copy of the same bytes");
  add_activations(*command, options->activations);
  support::add_number(*command, "--n", options->n, "elements", {.least = 1, .most = 1'000'000'000})
      ->capture_default_str();
  support::add_number(*command, "--rounds", options->rounds, "of which the median counts",
                      {.least = 1, .most = 10000})
      ->capture_default_str();
  support::add_number(*command, "--threads", options->threads, "0: all processors",
                      {.least = 0, .most = support::kMostThreads})
      ->capture_default_str();
  command->add_option("--device", options->device, "cpu|cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "figures as JSON");
  command->callback([options, &work] { work = [options] { return bench(*options); }; });
}

}  // namespace pade::lab
