#pragma once

#include <string>

namespace pade {

/// Whether the environment's PADE_VERBOSE, names with commas between them, has this one:
///
///   conv2d   by which method the CPU computes each convolution
bool is_verbose(const std::string& topic);

/// Prints the line to stderr, unless it has been printed before.
void print_once(const std::string& line);

}  // namespace pade
