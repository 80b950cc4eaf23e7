#include "support/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include <pade/core/numbers.h>

namespace pade::support {
namespace {

constexpr size_t kUsualColumns = 80;

bool begins_character(char c) { return (c & 0xC0) != 0x80; }

}  // namespace

size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* given = std::getenv("COLUMNS");
  const uint64_t columns = parse_uint64(given ? given : "").value_or(0);
  return columns > 0 ? columns : kUsualColumns;
}

size_t count_characters(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, begins_character));
}

std::string fitted(const std::string& text, size_t columns) {
  size_t characters = 0, bytes = 0;
  for (; bytes < text.size(); ++bytes)
    if (begins_character(text[bytes]) && ++characters > columns) break;
  return text.substr(0, bytes);
}

std::string draw_bar(double share, size_t columns) {
  const auto half_cells = static_cast<size_t>(share * 2 * static_cast<double>(columns));
  std::string bar;
  for (size_t cell = 0; cell < columns; ++cell)
    bar += 2 * cell + 1 < half_cells ? "━" : 2 * cell + 1 == half_cells ? "╸" : "─";
  return bar;
}

}  // namespace pade::support
