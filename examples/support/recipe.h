#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace pade::support {

/// The recipes that --recipe knows.
std::vector<std::string> recipe_names();

/// Gives the flags of a recipe to a program whose command line has been parsed, as if they had been
/// typed; those that were typed stay. Throws Error that lists the names on a wrong one.
void apply_recipe(const std::string& name, CLI::App& app);

}  // namespace pade::support
