#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <pade/core/error.h>
#include <pade/layers/rational_spec.h>
#include <pade/layers/study/replace_activations.h>

namespace pade {
namespace {

struct Found {
  std::string path;
  Activation* activation;
};

/// Finds the activations that are to be replaced, and refuses where that is not possible.
class Search : public ModuleVisitor {
 public:
  Search(Module& network, const ReplaceOptions& options) : options_(options) {
    check(dynamic_cast<Activation*>(&network) == nullptr,
          "replace_activations: the network is itself an activation; put it into a Sequential");
    network.visit(*this);
    check(!found.empty(), "replace_activations: there is no activation to replace");
  }

  std::vector<Found> found;

 private:
  void child(const std::string& name, Module& module, const ModuleSlot& slot) override {
    const std::string path = path_ + name;
    auto* const activation = dynamic_cast<Activation*>(&module);
    if (!activation || (options_.choose && !options_.choose(path, *activation))) {
      const std::string outer = std::exchange(path_, path + '.');
      module.visit(*this);
      path_ = outer;
      return;
    }
    check(
        slot && slot(probe_) && slot(probe_), "replace_activations: \"", path, "\" (",
        module.description(),
        ") sits where a Rational cannot be put; where its parent holds it as a "
        "std::unique_ptr<Activation>, and shows this to visitors, it can be replaced; or leave it "
        "out by ReplaceOptions::choose");
    const auto* const rational = dynamic_cast<const Rational*>(&module);
    check(!rational || rational->groups() == 1, "replace_activations: \"", path, "\" (",
          module.description(),
          ") has several functions, and one would be fitted; leave it out by "
          "ReplaceOptions::choose");
    found.push_back({path, activation});
  }

  const ReplaceOptions& options_;
  std::unique_ptr<Module> probe_ =  // is put there for a moment, to see whether it can be
      std::make_unique<Rational>(RationalFunction{{}, {0, 1}, {}});
  std::string path_;  // empty, or ending in a dot
};

RationalSpec spec_for_fits(std::string_view text) {
  const Spec spec(text);
  RationalSpec rational(spec);
  for (const char* key : {"init", "interval", "zero_mean", "gain"})
    check(!spec.has(key), "replace_activations: the network decides on \"", key,
          "\"; leave it out of \"", text, '"');
  return rational;
}

void check_options(const ReplaceOptions& options) {
  check(options.tail_share >= 0 && options.tail_share < 0.5,
        "replace_activations: expected a tail_share in [0, 0.5), got ", options.tail_share);
  check(options.uniform_share > 0 && options.uniform_share <= 1,
        "replace_activations: expected a uniform_share in (0, 1], got ", options.uniform_share);
  for (const auto& [name, value] : {std::pair{"margin", options.margin},
                                    std::pair{"derivative_weight", options.derivative_weight}})
    check(value >= 0 && std::isfinite(value), "replace_activations: expected ", name,
          " to be at least 0 and finite, got ", value);
}

/// Where the inputs of one activation are.
class InputRange {
 public:
  InputRange(const ValueDistribution& inputs, const ReplaceOptions& options)
      : bars_(inputs.histogram(64, options.tail_share)) {
    const Histogram fine = inputs.histogram(ValueDistribution::kMaxBars, options.tail_share);
    const double first = std::max(fine.low, inputs.min());
    const double last =
        std::min(fine.low + fine.width * static_cast<double>(fine.counts.size()), inputs.max());
    const double half = std::max(0.5, (0.5 + options.margin) * (last - first));
    low = (first + last) / 2 - half;
    high = (first + last) / 2 + half;
    outside = static_cast<double>(fine.below + fine.above) / static_cast<double>(inputs.count());
    variance = inputs.variance();
    for (const int64_t count : bars_.counts) total_ += static_cast<double>(count);
  }

  double low, high, outside, variance;

  /// Of mean 1 over the interval, about.
  double density(double x) const {
    const double at = (x - bars_.low) / bars_.width - 0.5;  // counted from the first bar's middle
    const double left = std::floor(at);
    const double count = height(left) + (at - left) * (height(left + 1) - height(left));
    return count / total_ * (high - low) / bars_.width;
  }

 private:
  double height(double bar) const {
    if (bar < 0 || bar >= static_cast<double>(bars_.counts.size())) return 0;
    return static_cast<double>(bars_.counts[static_cast<size_t>(bar)]);
  }

  Histogram bars_;
  double total_ = 0;
};

RationalFunction fit_to(const Activation& old, const RationalSpec& spec, const InputRange& range,
                        const ReplaceOptions& options) {
  const FitTarget target([&](double x) { return old.derivatives(x).value; },
                         [&](double x) { return old.derivatives(x).slope; });
  const double even = options.uniform_share;
  const FitOptions fit{.low = range.low,
                       .high = range.high,
                       .points = 1001,
                       .weight = [&](double x) { return (1 - even) * range.density(x) + even; },
                       .derivative_weight = options.derivative_weight * range.variance};
  return fit_rational(target, spec.options(), spec.numerator_degree(), spec.denominator_degree(),
                      fit)
      .function;
}

ReplacedActivation compare(const Found& at, const Activation& fitted, const InputRange& range) {
  constexpr int kPoints = 4001;
  ReplacedActivation report{.name = at.path,
                            .before = at.activation->description(),
                            .after = fitted.description(),
                            .low = range.low,
                            .high = range.high,
                            .outside = range.outside,
                            .max_error_at = range.low};
  double weights = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = range.low + (range.high - range.low) * i / (kPoints - 1);
    const double error =
        std::abs(fitted.derivatives(x).value - at.activation->derivatives(x).value);
    const double weight = range.density(x);
    report.rms += error * error;
    report.input_rms += weight * error * error;
    weights += weight;
    if (error > report.max_error) {
      report.max_error = error;
      report.max_error_at = x;
    }
  }
  report.rms = std::sqrt(report.rms / kPoints);
  report.input_rms = std::sqrt(report.input_rms / weights);
  return report;
}

const InputStatistics::Layer& inputs_of(const Found& at, const InputStatistics& statistics) {
  for (const InputStatistics::Layer& layer : statistics.layers()) {
    if (layer.name != at.path) continue;
    check(layer.inputs.count() > 0, "replace_activations: \"", at.path,
          "\" was given no finite input; run data through the network that reaches it");
    return layer;
  }
  fail("replace_activations: the statistics are not of \"", at.path,
       "\"; let InputStatisticsOptions::watch choose it");
}

std::vector<ReplacedActivation> replace_found(Module& network, const std::vector<Found>& found,
                                              const RationalSpec& spec,
                                              const InputStatistics& statistics,
                                              const ReplaceOptions& options) {
  DType dtype = DType::float32;
  Device device = Device::cpu;
  if (const auto parameters = network.state(); !parameters.empty()) {
    dtype = parameters[0].second.dtype();
    device = parameters[0].second.device();
  }
  std::vector<std::unique_ptr<Rational>> fitted;
  std::vector<ReplacedActivation> reports;
  for (const Found& at : found) {
    const InputStatistics::Layer& layer = inputs_of(at, statistics);
    const InputRange range(layer.inputs, options);
    fitted.push_back(make_rational(spec.spec(), fit_to(*at.activation, spec, range, options),
                                   layer.channels, dtype));
    reports.push_back(compare(at, *fitted.back(), range));
    fitted.back()->to(device);
  }
  for (size_t i = 0; i < found.size(); ++i) network.replace(found[i].path, std::move(fitted[i]));
  return reports;
}

}  // namespace

std::vector<ReplacedActivation> replace_activations(Module& network, std::string_view spec,
                                                    const std::function<void(Module&)>& run_data,
                                                    const ReplaceOptions& options) {
  check_options(options);
  const RationalSpec rational = spec_for_fits(spec);
  const std::vector<Found> found = Search(network, options).found;
  InputStatistics statistics(network, {.watch = [&](const std::string& path, Module&) {
                               return std::any_of(found.begin(), found.end(),
                                                  [&](const Found& at) { return at.path == path; });
                             }});
  {
    const ForwardObserver collecting = statistics.collect();
    run_data(network);
  }
  return replace_found(network, found, rational, statistics, options);
}

std::vector<ReplacedActivation> replace_activations(Module& network, std::string_view spec,
                                                    const InputStatistics& statistics,
                                                    const ReplaceOptions& options) {
  check_options(options);
  const RationalSpec rational = spec_for_fits(spec);
  return replace_found(network, Search(network, options).found, rational, statistics, options);
}

}  // namespace pade
