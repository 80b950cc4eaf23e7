#pragma once

#include <string>

namespace pade::compare {

/// Judges results that were made elsewhere as tables of grids are: the table of a CSV file with the
/// columns activation, seed and accuracy (or test_accuracy, as cells.csv has it), and any others,
/// in Markdown and not wider than so many characters. Accuracies are shares of 1, or all of them
/// percents. The file's first activation is what the others are compared with. Throws Error, with
/// the file and the row, where something is missing, is not a number or is there twice.
std::string verdict(const std::string& path, size_t columns);

}  // namespace pade::compare
