#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/layers/rational.h>
#include <pade/layers/rational_fit.h>

#include "lab/lab.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

struct Options {
  std::string target, activation = "hp1", norm = "l2";
  std::pair<double, double> interval{-5, 5};
  std::optional<double> normal_sigma;
  double derivative_weight = 0, leading_floor = 0;
  bool json = false;
};

/// An activation by its SPEC, or the samples of a file.
FitTarget target_of(const std::string& text) {
  if (std::filesystem::exists(text)) return read_samples(text);
  check(!text.ends_with(".csv"), "--target: there is no file ", text);
  const std::shared_ptr<Activation> activation = make_activation(text, 1, DType::float64);
  return {[activation](double x) { return activation->derivatives(x).value; },
          [activation](double x) { return activation->derivatives(x).slope; }};
}

FitResult fit_of(const Options& options) {
  const auto named = make_activation(options.activation);
  const auto* rational = dynamic_cast<Rational*>(named.get());
  check(rational, "fit: ", options.activation, " is not rational: there is nothing to fit");
  FitOptions fit;
  fit.low = options.interval.first;
  fit.high = options.interval.second;
  fit.norm = options.norm == "max" ? FitNorm::max : FitNorm::l2;
  if (options.normal_sigma) fit.weight = normal_density(*options.normal_sigma);
  fit.derivative_weight = options.derivative_weight;
  fit.leading_floor = options.leading_floor;
  const RationalFunction start = rational->function();
  return fit_rational(target_of(options.target), rational->options(), start.numerator_degree(),
                      start.denominator_degree(), fit);
}

std::string joined(const std::vector<double>& numbers) {
  TextStream out;
  out << std::setprecision(17);
  for (size_t i = 0; i < numbers.size(); ++i) out << (i ? "," : "") << numbers[i];
  return out.str();
}

void print(const Options& options, const FitResult& result) {
  const RationalFunction& g = result.function;
  std::cout << name_of(g.options.basis) << ", " << name_of(g.options.form) << ", degrees "
            << g.numerator_degree() << '/' << g.denominator_degree() << ": fit of "
            << options.target << '\n'
            << "c          " << joined(g.c) << '\n'
            << "d          " << joined(g.d) << '\n'
            << std::setprecision(4) << "rms        " << result.rms << '\n'
            << "max error  " << result.max_error << " at x = " << result.max_error_at
            << "; the error reaches it " << result.extrema << " times within 1 %\n"
            << "outside    " << result.below << " ten below the interval, " << result.above
            << " ten above it\n"
            << "max |G'|   " << result.max_slope << " on the interval\n";
}

int fit(const Options& options) {
  const FitResult result = fit_of(options);
  if (!options.json) {
    print(options, result);
    return 0;
  }
  const RationalFunction& g = result.function;
  std::cout << nlohmann::ordered_json{{"target", options.target},
                                      {"basis", name_of(g.options.basis)},
                                      {"form", name_of(g.options.form)},
                                      {"c", g.c},
                                      {"d", g.d},
                                      {"rms", result.rms},
                                      {"max_error", result.max_error},
                                      {"max_error_at", result.max_error_at},
                                      {"extrema", result.extrema},
                                      {"below", result.below},
                                      {"above", result.above},
                                      {"max_slope", result.max_slope}}
                   .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
            << '\n';
  return 0;
}

}  // namespace

void add_fit(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("fit", "the rational function nearest to an activation or to samples");
  command->add_option("--target", options->target, "SPEC, or FILE.csv with a line x,y per sample")
      ->required();
  add_activation(*command, options->activation)->capture_default_str();
  add_interval(*command, options->interval)->default_str("-5:5");
  command
      ->add_option("--norm", options->norm,
                   "l2|max: the mean squared error or the largest is made small")
      ->check(CLI::IsMember({"l2", "max"}))
      ->capture_default_str();
  support::add_number(*command, "--normal", options->normal_sigma,
                      "weigh errors by the density of N(0, X^2) [uniform]",
                      {.least = 0, .without_least = true});
  support::add_number(*command, "--derivative-weight", options->derivative_weight,
                      "of the slope's squared error beside the value's", {.least = 0})
      ->capture_default_str();
  support::add_number(*command, "--leading-floor", options->leading_floor,
                      "share of Q that its leading term keeps; 0.2 makes growth outside sane",
                      {.least = 0})
      ->capture_default_str();
  command->add_flag("--json", options->json, "figures as JSON");
  command->callback([options, &work] { work = [options] { return fit(*options); }; });
}

}  // namespace pade::lab
