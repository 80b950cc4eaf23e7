#pragma once

#include <cstddef>
#include <string>

namespace pade::support {

/// How many characters fit into a line of the terminal that stdout is, now: what the terminal says,
/// else $COLUMNS, else 80.
size_t terminal_columns();

/// The characters of a UTF-8 text: bytes that go on with one are not counted.
size_t count_characters(const std::string& text);

/// As much of the beginning as so many characters hold.
std::string fitted(const std::string& text, size_t columns);

/// A bar of so many characters, of which this share is full.
std::string draw_bar(double share, size_t columns);

}  // namespace pade::support
