#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pade {

/// The known name that needs the fewest edits to become `given`; empty when none is near.
std::string nearest_name(std::string_view given, const std::vector<std::string>& known);

/// Throws Error: `unknown basis "hermit"; did you mean "hermite_he"? There are: monomial, …`.
[[noreturn]] void fail_unknown_name(std::string_view kind, std::string_view given,
                                    const std::vector<std::string>& known);

/// Throws so unless it is one of them.
void check_known_name(std::string_view kind, std::string_view given,
                      const std::vector<std::string>& known);

/// The one of `values` whose name_of() is `name`. Throws as fail_unknown_name().
template <class Values>
auto value_named(std::string_view kind, std::string_view name, const Values& values) {
  std::vector<std::string> known;
  for (const auto& value : values) {
    if (name == name_of(value)) return value;
    known.emplace_back(name_of(value));
  }
  fail_unknown_name(kind, name, known);
}

}  // namespace pade
