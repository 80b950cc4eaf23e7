#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <utility>

#include <pade/core/text_stream.h>

#include "support/progress.h"
#include "support/terminal.h"

namespace pade::support {
namespace {

constexpr size_t kWidestBar = 24, kNarrowestBar = 6;

}  // namespace

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

std::string progress_line(const EpochProgress& progress, size_t columns) {
  TextStream rate, accuracy, loss;
  rate << std::fixed << std::setprecision(0) << "  " << progress.images_per_second << " images/s";
  accuracy << std::fixed << std::setprecision(4) << "  accuracy " << progress.accuracy;
  loss << std::fixed << std::setprecision(4) << "  loss " << progress.loss;
  const std::string left = "  " + format_duration(progress.seconds_left) + " left";
  const std::string steps =
      " " + std::to_string(progress.step) + "/" + std::to_string(progress.total_steps);
  const std::string figures = steps + loss.str() + accuracy.str();
  for (const std::string& shown :
       {figures + rate.str() + left, figures + left, figures, steps + loss.str(), steps}) {
    const size_t others = count_characters(progress.title + " " + shown);
    if (others + kNarrowestBar > columns) continue;
    const double share =
        static_cast<double>(progress.step) / static_cast<double>(progress.total_steps);
    return progress.title + " " + draw_bar(share, std::min(kWidestBar, columns - others)) + shown;
  }
  return fitted(progress.title + steps, columns);
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
  const EpochProgress progress{
      title_, step, total_steps_, loss, accuracy, static_cast<double>(images) / seconds, left};
  // A terminal of which the last column is full may go on to the next line by itself.
  std::printf("\r\033[K%s", progress_line(progress, terminal_columns() - 1).c_str());
  std::fflush(stdout);
}

void Progress::clear() {
  if (!shown_) return;
  std::printf("\r\033[K");
  std::fflush(stdout);
}

}  // namespace pade::support
