#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/io/file.h>

#include "lab/lab.h"
#include "onnx/activation.h"
#include "onnx/run.h"

namespace pade::lab {
namespace {

struct Options {
  std::string what, format, out;
  bool best = false;
};

std::string onnx_of(const Activation& activation, const std::string& what) {
  return onnx::onnx_of(onnx::functions_of(activation),
                       {.name = "activation",
                        .text = what + ": " + activation.formula(),
                        .metadata = {{"activation", activation.spec()}}});
}

/// Of a run's layer, as `RUN#act1`.
std::string onnx_of_layer(const std::string& folder, const std::string& layer,
                          const std::string& file) {
  onnx::TrainedRun run = onnx::read_run(folder, file);
  std::vector<std::string> names;
  std::string bytes;
  run.network.for_each_module([&](const std::string& path, Module& module) {
    const auto* activation = dynamic_cast<Activation*>(&module);
    if (!activation) return;
    names.push_back(path);
    if (path == layer) bytes = onnx_of(*activation, layer + " of a " + run.description.text);
  });
  if (bytes.empty()) fail_unknown_name("activation of " + folder, layer, names);
  return bytes;
}

int export_onnx(const Options& options) {
  const std::string file = options.best ? "best.safetensors" : "last.safetensors";
  const size_t hash = options.what.rfind('#');
  std::string bytes;
  if (std::filesystem::is_directory(options.what)) {
    bytes = onnx::onnx_of_run(options.what, file);
  } else if (hash != std::string::npos) {
    bytes = onnx_of_layer(options.what.substr(0, hash), options.what.substr(hash + 1), file);
  } else {
    const auto activation = make_activation(options.what);
    bytes = onnx_of(*activation, options.what);
  }
  write_file_atomically(options.out, bytes);
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Work& work) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("export", "a trained network, or an activation, for other programs");
  command
      ->add_option("what", options->what,
                   "a run folder, an activation in it (runs/…#act1), or a SPEC")
      ->type_name("RUN|RUN#LAYER|SPEC")
      ->required();
  command->add_option("--format", options->format, "onnx")
      ->check(CLI::IsMember({"onnx"}))
      ->required();
  command->add_option("--out", options->out, "the file to write")->type_name("FILE")->required();
  command->add_flag("--best", options->best, "of a run: after the epoch of the best test accuracy");
  command->callback([options, &work] { work = [options] { return export_onnx(*options); }; });
}

}  // namespace pade::lab
