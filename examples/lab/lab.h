#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <pade/layers/activation.h>

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// The commands of activation_lab. Each add_…() adds one to the program; parsing the command line
/// leaves in `work` what the chosen one does.
namespace pade::lab {

using Work = std::function<int()>;

void add_list(CLI::App& app, Work& work);
void add_eval(CLI::App& app, Work& work);
void add_fit(CLI::App& app, Work& work);
void add_analyse(CLI::App& app, Work& work);
void add_plot(CLI::App& app, Work& work);
void add_bench(CLI::App& app, Work& work);
void add_inspect(CLI::App& app, Work& work);
void add_export(CLI::App& app, Work& work);
void add_distil(CLI::App& app, Work& work);

/// Adds --activation for one SPEC, or for several with semicolons between: "relu;swish".
CLI::Option* add_activation(CLI::App& command, std::string& spec);
CLI::Option* add_activations(CLI::App& command, std::vector<std::string>& specs);

/// Adds --coefficients c0,…,cm/d1,…,dn.
CLI::Option* add_coefficients(CLI::App& command, std::string& coefficients);

/// The activation as named, or, where the text is not empty, the rational one of its basis and form
/// with these coefficients in each of its groups; trainable, zero_centred and their like hold as
/// they do beside the key coefficients=. Throws Error for coefficients that cannot be read, or of a
/// formula.
std::unique_ptr<Activation> make_with(const std::string& spec, const std::string& coefficients,
                                      DType dtype);

}  // namespace pade::lab
