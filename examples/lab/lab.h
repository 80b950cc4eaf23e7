#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pade/layers/activation.h>

#include <CLI/CLI.hpp>

/// The commands of activation_lab. Each add_…() adds one to the program; parsing the command line
/// leaves in `work` what the chosen one does.
namespace pade::lab {

using Work = std::function<int()>;

void add_list(CLI::App& app, Work& work);
void add_eval(CLI::App& app, Work& work);
void add_plot(CLI::App& app, Work& work);
void add_bench(CLI::App& app, Work& work);

/// Adds --activation for one SPEC, or for several with semicolons between: "relu;swish".
CLI::Option* add_activation(CLI::App& command, std::string& spec);
CLI::Option* add_activations(CLI::App& command, std::vector<std::string>& specs);

}  // namespace pade::lab
