#include "compare/display.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "support/progress.h"
#include "support/terminal.h"

namespace pade::compare {
namespace {

constexpr size_t kWidestBar = 24;

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
  const size_t columns = support::terminal_columns() - 1;  // a full line may wrap by itself
  std::string line = std::to_string(cells_done_) + "/" + std::to_string(cells_) + " cells " +
                     support::draw_bar(static_cast<double>(epochs) / static_cast<double>(epochs_),
                                       std::min(kWidestBar, columns / 4));
  if (epochs > epochs_before_)
    line += " " +
            support::format_duration(seconds / static_cast<double>(epochs - epochs_before_) *
                                     static_cast<double>(epochs_ - epochs)) +
            " left";
  for (const std::string& cell : running) line += "   " + cell;
  std::printf("\r\033[K%s", support::fitted(line, columns).c_str());
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
