#include "compare/display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "support/progress.h"

namespace pade::compare {
namespace {

/// As much of the text as fits into the terminal's line: one that is longer could not be rewritten.
std::string fitted(const std::string& text) {
  winsize size{};
  const size_t columns =
      ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  size_t characters = 0, bytes = 0;
  for (; bytes < text.size(); ++bytes)
    if ((text[bytes] & 0xC0) != 0x80 && ++characters > columns) break;
  return text.substr(0, bytes);
}

}  // namespace

Display::Display(size_t cells, size_t cells_before, int64_t epochs, int64_t epochs_before,
                 bool quiet)
    : cells_(cells),
      cells_done_(cells_before),
      epochs_(epochs),
      epochs_before_(epochs_before),
      quiet_(quiet),
      terminal_(!quiet && isatty(STDOUT_FILENO)) {}

Display::~Display() { clear(); }

bool Display::due() const {
  return terminal_ && Clock::now() - last_drawn_ >= std::chrono::milliseconds(200);
}

void Display::update(int64_t epochs, const std::vector<std::string>& running) {
  if (!due()) return;
  last_drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(last_drawn_ - start_).count();
  std::string line = std::to_string(cells_done_) + "/" + std::to_string(cells_) + " cells " +
                     support::draw_bar(static_cast<double>(epochs) / static_cast<double>(epochs_));
  if (epochs > epochs_before_)
    line += " " +
            support::format_duration(seconds / static_cast<double>(epochs - epochs_before_) *
                                     static_cast<double>(epochs_ - epochs)) +
            " left";
  for (const std::string& cell : running) line += "   " + cell;
  std::printf("\r\033[K%s", fitted(line).c_str());
  std::fflush(stdout);
}

void Display::finished(const std::string& line) {
  ++cells_done_;
  clear();
  if (quiet_) return;
  std::printf("[%zu/%zu] %s\n", cells_done_, cells_, line.c_str());
  std::fflush(stdout);
}

void Display::clear() {
  if (!terminal_) return;
  std::printf("\r\033[K");
  std::fflush(stdout);
}

}  // namespace pade::compare
