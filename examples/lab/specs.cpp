#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/layers/rational_spec.h>

#include "lab/lab.h"
#include "support/options.h"

namespace pade::lab {
namespace {

std::vector<double> parse_numbers(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const std::optional<double> number = parse_double(item);
    check(number.has_value(), "--coefficients: expected numbers with commas between, got \"", item,
          "\"");
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

CLI::Option* add_activation(CLI::App& command, std::string& spec) {
  return command
      .add_option("--activation", spec,
                  "name[:key=value,…]: hp1, swish:beta=2, opau:basis=legendre,degrees=3/2")
      ->transform(support::activation_spec());
}

CLI::Option* add_activations(CLI::App& command, std::vector<std::string>& specs) {
  return command
      .add_option("--activation", specs,
                  "one or several with semicolons between: 'relu;swish:beta=2;hp1'")
      ->delimiter(';')
      ->transform(support::activation_spec());
}

CLI::Option* add_coefficients(CLI::App& command, std::string& coefficients) {
  return command.add_option("--coefficients", coefficients,
                            "of a rational one: c0,…,cm/d1,…,dn, in full_sum from d0 on; degrees "
                            "follow from them");
}

std::unique_ptr<Activation> make_with(const std::string& spec, const std::string& coefficients,
                                      DType dtype) {
  auto activation = make_activation(spec, 1, dtype);
  if (coefficients.empty()) return activation;
  const auto* named = dynamic_cast<Rational*>(activation.get());
  check(named, "--coefficients: ", spec,
        " is not rational; its constants are keys, as in swish:beta=2");
  const size_t slash = coefficients.find('/');
  check(slash != std::string::npos, "--coefficients: expected c0,…,cm/d",
        first_denominator(named->options().form), ",…,dn, got \"", coefficients, "\"");
  const RationalFunction function{named->options(), parse_numbers(coefficients.substr(0, slash)),
                                  parse_numbers(coefficients.substr(slash + 1))};
  return make_rational(Spec(spec), function, 1, dtype);
}

}  // namespace pade::lab
