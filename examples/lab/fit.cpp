#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>
#include <pade/layers/rational_spec.h>
#include <pade/layers/study/rational_fit.h>

#include "lab/function_text.h"
#include "lab/interval.h"
#include "lab/lab.h"
#include "lab/picture.h"
#include "support/curve.h"
#include "support/gnuplot.h"
#include "support/learned_spec.h"
#include "support/number_option.h"

namespace pade::lab {
namespace {

struct Options {
  std::string target, activation = "hp1", norm = "l2", out;
  Interval interval;
  std::pair<double, double> range;
  std::optional<double> normal_sigma;
  double derivative_weight = 0, leading_floor = 0;
  bool json = false;
};

/// Where the preset is fitted, or where the SPEC says.
std::pair<double, double> usual_interval(const std::string& activation) {
  const Spec spec(activation);
  const std::vector<std::string> names = rational_names();
  const bool has_one = std::find(names.begin(), names.end(), spec.name()) != names.end();
  return has_one ? RationalSpec(spec).interval() : std::pair<double, double>{-5, 5};
}

/// A JSON file is an exported activation.
bool is_file_of_samples(const std::string& target) {
  return std::filesystem::exists(target) && !target.ends_with(".json");
}

/// The samples of a file that are in the range, which becomes theirs.
FitTarget samples_of(const std::string& path, Options& options) {
  std::vector<FitSample> samples = read_samples(path);
  const size_t all = samples.size();
  const auto [low, high] = options.range;
  std::erase_if(
      samples, [low = low, high = high](const FitSample& at) { return at.x < low || at.x > high; });
  check(!samples.empty(), "--interval: none of the ", all, " samples of ", path, " are from ", low,
        " to ", high);
  const auto [first, last] =
      std::minmax_element(samples.begin(), samples.end(),
                          [](const FitSample& a, const FitSample& b) { return a.x < b.x; });
  options.range = {first->x, last->x};
  return samples;
}

/// An activation by its SPEC, or the samples of a file.
FitTarget target_of(Options& options) {
  const std::string& text = options.target;
  if (is_file_of_samples(text)) return samples_of(text, options);
  check(!text.ends_with(".csv"), "--target: there is no file ", text);
  const std::shared_ptr<Activation> activation =
      make_activation(support::resolved_spec(text), 1, DType::float64);
  return {[activation](double x) { return activation->derivatives(x).value; },
          [activation](double x) { return activation->derivatives(x).slope; }};
}

FitResult fit_of(const Options& options, const FitTarget& target) {
  const auto named = make_activation(options.activation);
  const auto* rational = dynamic_cast<Rational*>(named.get());
  check(rational, "fit: ", options.activation, " is not rational: there is nothing to fit");
  FitOptions fit;
  fit.low = options.range.first;
  fit.high = options.range.second;
  fit.norm = options.norm == "max" ? FitNorm::max : FitNorm::l2;
  if (options.normal_sigma) fit.weight = normal_density(*options.normal_sigma);
  fit.derivative_weight = options.derivative_weight;
  fit.leading_floor = options.leading_floor;
  const RationalFunction start = rational->function();
  return fit_rational(target, rational->options(), start.numerator_degree(),
                      start.denominator_degree(), fit);
}

/// The result over the target, and the error below it.
void draw(const Options& options, const FitTarget& target, const FitResult& result) {
  constexpr int kPoints = 801;
  const std::vector<double> x =
      support::even_points(options.range.first, options.range.second, kPoints);
  const std::vector<double> fitted = support::sampled_values(result.function, x);
  std::vector<FitSample> wanted = target.samples;
  if (wanted.empty())
    for (const double at : x) wanted.push_back({at, target.value(at)});
  std::vector<double> values = fitted, errors;
  TextStream script;
  script << "$fit << END\n";
  for (size_t k = 0; k < x.size(); ++k) script << x[k] << ' ' << fitted[k] << '\n';
  script << "END\n$target << END\n";
  for (const FitSample& at : wanted) {
    values.push_back(at.y);
    errors.push_back(result.function(at.x) - at.y);
    script << at.x << ' ' << at.y << ' ' << errors.back() << '\n';
  }
  const bool points = !target.samples.empty();
  const std::string style = points ? " with points pt 7 ps 0.8" : " with lines lw 5";
  script << "END\n"
         << axes_script() << support::range_script('x', options.range) << "set lmargin 11\n"
         << "set key outside bottom center horizontal noenhanced\nset multiplot layout 2,1\n"
         << "set title "
         << support::gnuplot_quoted(
                support::shortened(options.activation + " fitted to " + options.target, 85))
         << " noenhanced\nset ylabel 'f(x)'\n"
         << support::range_script('y', support::shown_range(values)) << "plot $target using 1:2"
         << style << " lc '#aaaaaa' title 'target', $fit using 1:2 with lines lw 2 lc '#c0392b' "
         << "title 'fit'\nset title 'RMS " << result.rms << ", largest " << result.max_error
         << " at x = " << result.max_error_at << "'\nset ylabel 'fit - target'\nset xlabel 'x'\n"
         << "unset key\n"
         << support::range_script('y', support::shown_range(errors)) << "plot $target using 1:3"
         << (points ? " with impulses lw 2" : " with lines lw 1.5") << " lc '#0072b2'\n"
         << "unset multiplot\n";
  write_picture(options.out, 800, 760, script.str());
}

void print(const Options& options, const FitResult& result) {
  const RationalFunction& g = result.function;
  std::cout << name_of(g.options.basis) << ", " << name_of(g.options.form) << ", degrees "
            << g.numerator_degree() << '/' << g.denominator_degree() << ": fit of "
            << options.target << " on [" << options.range.first << ", " << options.range.second
            << "]\n"
            << "c          " << joined(g.c) << '\n'
            << "d          " << joined(g.d) << '\n'
            << std::setprecision(4) << "rms        " << result.rms << '\n'
            << "max error  " << result.max_error << " at x = " << result.max_error_at
            << "; the error reaches it " << result.extrema << " times within 1 %\n"
            << "outside    " << result.below << " ten below the interval, " << result.above
            << " ten above it\n"
            << "max |G'|   " << result.max_slope << " on the interval\n";
}

int fit(Options& options) {
  if (!options.out.empty()) check_picture(options.out);
  const FitTarget target = target_of(options);
  const FitResult result = fit_of(options, target);
  if (!options.out.empty()) draw(options, target, result);
  if (!options.json) {
    print(options, result);
    if (!options.out.empty()) std::cout << "wrote " << options.out << '\n';
    return 0;
  }
  const RationalFunction& g = result.function;
  std::cout << nlohmann::ordered_json{{"target", options.target},
                                      {"interval", options.range},
                                      {"norm", options.norm},
                                      {"basis", name_of(g.options.basis)},
                                      {"form", name_of(g.options.form)},
                                      {"degrees", {g.numerator_degree(), g.denominator_degree()}},
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
  command
      ->add_option("--target", options->target,
                   "SPEC, or FILE.csv with a line x,y per sample, or with another separator")
      ->required();
  add_activation(*command, options->activation)->capture_default_str();
  add_interval(*command, options->interval, "the preset's, or all samples");
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
  command->add_option("--out", options->out,
                      "FILE.svg or FILE.png: the result over the target, and the error");
  command->add_flag("--json", options->json, "figures as JSON");
  command->callback([options, &work] {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const bool is_file = is_file_of_samples(options->target);
    options->range = options->interval.over(is_file ? std::pair{-kInfinity, kInfinity}
                                                    : usual_interval(options->activation));
    work = [options] { return fit(*options); };
  });
}

}  // namespace pade::lab
