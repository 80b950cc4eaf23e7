#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pade::support {

/// How far an epoch is.
struct EpochProgress {
  std::string title;
  int64_t step = 0, total_steps = 0;
  double loss = 0, accuracy = 0;
  double images_per_second = 0;
  double seconds_left = 0;
};

/// That as a line of at most so many characters. Where it is narrow, it goes without images/s, then
/// without the time, then with a shorter bar, and last without accuracy, loss and bar.
///
///   epoch  3/10 ━━━━━━━━━━━━━╸────────── 312/469  loss 0.3127  accuracy 0.8874  …  12 s left
std::string progress_line(const EpochProgress& progress, size_t columns);

/// The line that an epoch rewrites while it runs, on a terminal; elsewhere it prints nothing.
class Progress {
 public:
  /// `quiet` shows nothing on a terminal either.
  Progress(std::string title, int64_t total_steps, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Redraws, at most ten times a second. `first_step` is where this epoch was resumed.
  void update(int64_t step, int64_t first_step, int64_t images, double loss, double accuracy);
  /// Clears the line.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string title_;
  int64_t total_steps_;
  bool shown_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_{};
};

/// "7 s", "3 min 20 s", "1 h 05 min".
std::string format_duration(double seconds);

}  // namespace pade::support
