#pragma once

#include <string>
#include <utility>
#include <vector>

#include <pade/core/parameter.h>

namespace pade::support {

/// A number for each parameter whose name contains a text, as in `norm=64,head.weight=0.5`.
struct NumberByName {
  std::string part;
  double number;

  bool is_of(const Parameter& parameter) const {
    return parameter.name.find(part) != std::string::npos;
  }
};

/// None for an empty text. Throws Error where a name, or a number of at least 0, is missing.
std::vector<NumberByName> numbers_by_name(const std::string& text);

/// Throws Error, which `flag` begins, where one is of none of the parameters.
void check_names(const char* flag, const std::vector<NumberByName>& numbers,
                 const std::vector<Parameter>& parameters);

}  // namespace pade::support
