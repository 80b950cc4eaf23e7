#include "lab/lab.h"
#include "support/options.h"

namespace pade::lab {

CLI::Option* add_activation(CLI::App& command, std::string& spec) {
  return command
      .add_option("--activation", spec,
                  "name[:key=value,…]: hp1, swish:beta=2, opau:basis=legendre,degrees=3/2")
      ->check(support::activation_spec());
}

CLI::Option* add_activations(CLI::App& command, std::vector<std::string>& specs) {
  return command
      .add_option("--activation", specs,
                  "one or several with semicolons between: 'relu;swish:beta=2;hp1'")
      ->delimiter(';')
      ->check(support::activation_spec());
}

}  // namespace pade::lab
