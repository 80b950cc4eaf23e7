#include "support/numbers_by_name.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include <pade/core/error.h>
#include <pade/core/numbers.h>

namespace pade::support {

std::vector<NumberByName> numbers_by_name(const std::string& text) {
  std::vector<NumberByName> numbers;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const size_t sign = item.find('=');
    const auto number =
        sign == std::string::npos ? std::nullopt : parse_double(item.substr(sign + 1));
    check(number && *number >= 0 && sign > 0,
          "expected names and numbers, as norm=64,head=0.5, got \"", item, "\"");
    numbers.push_back({item.substr(0, sign), *number});
  }
  return numbers;
}

void check_names(const char* flag, const std::vector<NumberByName>& numbers,
                 const std::vector<Parameter>& parameters) {
  for (const NumberByName& of : numbers)
    check(std::ranges::any_of(parameters, [&](const Parameter& p) { return of.is_of(p); }), flag,
          ": no parameter that learns has \"", of.part, "\" in its name");
}

}  // namespace pade::support
