#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "support/progress.h"

namespace pade::support {
namespace {

constexpr int kBarWidth = 24;

}  // namespace

std::string draw_bar(double share) {
  const int half_cells = static_cast<int>(share * 2 * kBarWidth);
  std::string bar;
  for (int cell = 0; cell < kBarWidth; ++cell)
    bar += 2 * cell + 1 < half_cells ? "━" : 2 * cell + 1 == half_cells ? "╸" : "─";
  return bar;
}

std::string format_duration(double seconds) {
  const int64_t whole = std::llround(seconds);
  char text[32];
  if (whole < 60)
    std::snprintf(text, sizeof text, "%d s", static_cast<int>(whole));
  else if (whole < 3600)
    std::snprintf(text, sizeof text, "%d min %02d s", static_cast<int>(whole / 60),
                  static_cast<int>(whole % 60));
  else
    std::snprintf(text, sizeof text, "%d h %02d min", static_cast<int>(whole / 3600),
                  static_cast<int>(whole / 60 % 60));
  return text;
}

Progress::Progress(std::string title, int64_t total_steps, bool quiet)
    : title_(std::move(title)),
      total_steps_(total_steps),
      shown_(!quiet && isatty(STDOUT_FILENO)) {}

Progress::~Progress() { clear(); }

void Progress::update(int64_t step, int64_t first_step, int64_t images, double loss,
                      double accuracy) {
  if (!shown_) return;
  const auto now = Clock::now();
  if (now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left =
      seconds / static_cast<double>(step - first_step) * static_cast<double>(total_steps_ - step);
  std::printf("\r\033[K%s %s %d/%d  loss %.4f  accuracy %.4f  %.0f images/s  %s left",
              title_.c_str(),
              draw_bar(static_cast<double>(step) / static_cast<double>(total_steps_)).c_str(),
              static_cast<int>(step), static_cast<int>(total_steps_), loss, accuracy,
              static_cast<double>(images) / seconds, format_duration(left).c_str());
  std::fflush(stdout);
}

void Progress::clear() {
  if (!shown_) return;
  std::printf("\r\033[K");
  std::fflush(stdout);
}

}  // namespace pade::support
