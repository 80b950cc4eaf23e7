#include "lab/export.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/io/file.h>
#include <pade/core/numbers.h>
#include <pade/layers/spec.h>

#include "lab/lab.h"
#include "onnx/run.h"
#include "support/learned_layers.h"
#include "support/options.h"

namespace pade::lab {
namespace {

struct Options {
  std::string target, format, coefficients, activation, groups = "all", digits = "4", out;
  bool best = false;
};

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const ExportFormat& format : export_formats()) names.push_back(format.name);
  return names;
}

/// The format by its name, or else by what --out ends in.
const ExportFormat& format_of(const Options& options) {
  for (const ExportFormat& format : export_formats())
    if (options.format.empty() ? options.out.ends_with(format.ending)
                               : options.format == format.name)
      return format;
  throw CLI::RequiredError("--format");
}

/// Also of names that are too long for a file.
bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

/// Whether the target names an activation, and not a run or a file.
bool is_spec(const std::string& target) {
  const std::vector<std::string> known = activation_names();
  if (std::find(known.begin(), known.end(), target.substr(0, target.find(':'))) != known.end())
    return true;
  return target.find_first_of("#/") == std::string::npos && !target.ends_with(".safetensors") &&
         !is_there(target);
}

Export of_spec(const Options& options) {
  const auto activation = make_with(options.target, options.coefficients, DType::float64);
  const std::string name = identifier_of(Spec(options.target).name(), {});
  Export what{options.target, true, options.coefficients, {{name, "", {}}}};
  const int64_t count = options.groups == "first" ? 1 : activation->groups();
  for (int64_t group = 0; group < count; ++group)
    what.functions[0].groups.push_back(activation->as_function(group));
  return what;
}

/// The path and, behind a #, the layer. A path may have a # of its own.
std::pair<std::string, std::optional<std::string>> split_target(const std::string& target) {
  const size_t hash = target.rfind('#');
  if (hash == target.npos || is_there(target)) return {target, std::nullopt};
  return {target.substr(0, hash), target.substr(hash + 1)};
}

Export of_network(const Options& options) {
  const auto [path, wanted] = split_target(options.target);
  const support::LearnedNetwork network = support::read_learned_network(path, options.activation);
  std::vector<std::string> names, taken;
  for (const support::LearnedLayer& layer : network.layers) names.push_back(layer.name);
  if (wanted && std::find(names.begin(), names.end(), *wanted) == names.end())
    with_path_in_errors(path, [&, &layer = *wanted] { fail_unknown_name("layer", layer, names); });
  Export what{path};
  for (const support::LearnedLayer& layer : network.layers) {
    if (wanted && layer.name != *wanted) continue;
    taken.push_back(identifier_of(layer.name, taken));
    what.functions.push_back({taken.back(), layer.name, layer.by_group});
    if (options.groups == "first") what.functions.back().groups.resize(1, layer.now);
  }
  return what;
}

void check_finite(const ExportedFunction& function) {
  for (size_t group = 0; group < function.groups.size(); ++group) {
    const std::vector<double> values = function.groups[group].values();
    for (size_t k = 0; k < values.size(); ++k)
      check(std::isfinite(values[k]), "export: ", function.name, ": ",
            function.groups[group].names()[k], " of group ", group, " is ", values[k],
            "; a function with such a coefficient cannot be exported");
  }
}

int digits_of(const std::string& text) {
  if (text == "all") return 0;
  const auto digits = parse_int64(text);
  if (!digits || *digits < 1 || *digits > 17)
    throw CLI::ValidationError("--digits", "expected a number from 1 to 17 or all, got " + text);
  return static_cast<int>(*digits);
}

/// The bytes of the file.
std::string exported(const Options& options, const ExportFormat& format) {
  if (format.write_run && std::filesystem::is_directory(options.target))
    return format.write_run(options.target, options.best ? "best" : "last");
  Export what = is_spec(options.target) ? of_spec(options) : of_network(options);
  what.digits = digits_of(options.digits);
  for (const ExportedFunction& function : what.functions) check_finite(function);
  std::string layers;
  for (const ExportedFunction& function : what.functions)
    layers += (layers.empty() ? "" : ", ") + function.layer;
  check(format.holds_several || what.functions.size() == 1, what.source, ": a file of format ",
        format.name, " holds one layer; name it, as in ", what.source, '#',
        what.functions.front().layer, "; there are: ", layers);
  return format.write(what);
}

int run_export(const Options& options) {
  const std::string contents = exported(options, format_of(options));
  if (!options.out.empty()) {
    write_file_atomically(options.out, contents);
    return 0;
  }
  std::cout << contents;
  check(std::cout.flush().good(), "export: the function could not be written");
  return 0;
}

/// What can be said before anything is read.
void check_command_line(const Options& options) {
  const ExportFormat& format = format_of(options);
  digits_of(options.digits);
  if (options.best && !format.write_run)
    throw CLI::ValidationError("--best", "is for networks, which go out as onnx");
  if (!format.is_text && options.out.empty())
    throw CLI::ValidationError("--format", format.name + " is not text; name a file by --out");
  if (is_spec(options.target)) {
    if (!options.activation.empty())
      throw CLI::ValidationError("--activation", "is for files that do not say what they hold");
    std::string spec = options.target;
    const std::string refused = support::activation_spec()(spec);
    if (!refused.empty()) throw CLI::ValidationError("SPEC", refused);
  } else if (!options.coefficients.empty()) {
    throw CLI::ValidationError(
        "--coefficients", "are for a SPEC; " + options.target + " has coefficients of its own");
  }
}

}  // namespace

void add_export(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("export", "activations, or a whole network, for other programs");
  command
      ->add_option("target", options->target,
                   "an activation, or a run folder or safetensors file, of which a layer is named "
                   "behind a #: hp1, 'runs/…#act1'")
      ->type_name("SPEC|RUN|FILE")
      ->required();
  std::string formats;
  for (const ExportFormat& format : export_formats())
    formats += (formats.empty() ? "" : "; ") + format.name + ", " + format.what;
  command->add_option("--format", options->format, formats + "; else as --out ends")
      ->check(support::one_of(format_names(), "format"));
  add_coefficients(*command, options->coefficients);
  add_activation(*command, options->activation)
      ->description("SPEC of the layers, where the file does not say what they are");
  command->add_option("--groups", options->groups, "all|first: which of a layer's groups")
      ->check(CLI::IsMember({"all", "first"}))
      ->capture_default_str();
  command->add_option("--digits", options->digits, "of the formula's numbers, or all")
      ->type_name("N|all")
      ->capture_default_str();
  command->add_flag("--best", options->best,
                    "of a network: after the epoch of the best test accuracy");
  command->add_option("--out", options->out, "the file; else it goes to stdout")->type_name("FILE");
  command->callback([options, &work] {
    check_command_line(*options);
    work = [options] { return run_export(*options); };
  });
}

}  // namespace pade::lab
