#include "support/pretrained.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/layers/network_file.h>
#include <pade/layers/study/replace_activations.h>

#include "support/evaluate.h"

namespace pade::support {
namespace {

/// Images whose activations' inputs the fits go by.
constexpr int64_t kObserved = 2000;

std::string percent(double share) {
  TextStream text;
  text << std::fixed << std::setprecision(2) << 100 * share << " %";
  return text.str();
}

void rationalise(Module& network, const TrainingOptions& options, const data::DatasetSplits& splits,
                 Device device) {
  const bool tells = !options.quiet && options.resume.empty();
  const auto accuracy = [&] {
    return evaluate(network, *splits.test, device, options.test_limit).accuracy;
  };
  const double before = tells ? accuracy() : 0;
  const auto replaced = replace_activations(network, *options.rationalise, [&](Module& observed) {
    evaluate(observed, *splits.train, device,
             std::min(options.limit.value_or(kObserved), kObserved));
  });
  if (!tells) return;
  TextStream text;
  for (const ReplacedActivation& layer : replaced)
    text << layer.name << ": " << layer.before << " -> " << layer.after << " on [" << layer.low
         << ", " << layer.high << "], off by " << layer.input_rms << " (rms over its inputs)\n";
  const double after = accuracy();
  text << "test accuracy " << percent(before) << " before, " << percent(after) << " after, "
       << std::showpos << std::fixed << std::setprecision(2) << 100 * (after - before)
       << " points\n";
  std::cout << text.str() << std::flush;
}

}  // namespace

void start_from_pretrained(Module& network, const TrainingOptions& options,
                           const data::DatasetSplits& splits, Device device) {
  if (!options.weights.empty()) {
    const std::string prefix = load_network(options.weights, network);
    if (!prefix.empty() && !options.quiet)
      std::cout << options.weights << ": names are read without \"" << prefix << "\"\n";
  }
  if (options.rationalise) rationalise(network, options, splits, device);
  if (options.train == "all") return;
  network.freeze([](const Parameter& p) { return p.role != ParameterRole::activation; });
  check(!network.parameters().empty(), "--train activations: no activation of ", options.model,
        " has coefficients that learn; --activation hp1 or --rationalise hp1 gives it some");
}

}  // namespace pade::support
