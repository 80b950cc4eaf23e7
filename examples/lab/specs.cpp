#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/layers/rational.h>

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

/// "-5:5" as a pair.
std::string parse_interval(const std::string& text, std::pair<double, double>& interval) {
  const size_t colon = std::min(text.find(':'), text.size());
  const auto low = parse_double(text.substr(0, colon));
  const auto high = parse_double(text.substr(std::min(colon + 1, text.size())));
  if (!low || !high || *low >= *high) return "expected A:B with A below B, got \"" + text + "\"";
  interval = {*low, *high};
  return "";
}

}  // namespace

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

CLI::Option* add_coefficients(CLI::App& command, std::string& coefficients) {
  return command.add_option("--coefficients", coefficients,
                            "of a rational one: c0,…,cm/d1,…,dn, in full_sum from d0 on; degrees "
                            "follow from them");
}

CLI::Option* add_interval(CLI::App& command, std::pair<double, double>& interval) {
  return command
      .add_option_function<std::string>(
          "--interval",
          [&interval](const std::string& text) {
            const std::string problem = parse_interval(text, interval);
            if (!problem.empty()) throw CLI::ValidationError("--interval", problem);
          },
          "A:B")
      ->type_name("A:B");
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
  return std::make_unique<Rational>(function, 1, dtype);
}

}  // namespace pade::lab
