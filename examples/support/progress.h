#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pade::support {

/// The line that an epoch rewrites while it runs, on a terminal; elsewhere it prints nothing.
///
///   epoch  3/10 ━━━━━━━━━━━━━╸─────── 312/469  loss 0.3127  accuracy 0.8874  11805 images/s  12 s
///   left
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

/// A bar of 24 characters, of which this share is full.
std::string draw_bar(double share);

/// "7 s", "3 min 20 s", "1 h 05 min".
std::string format_duration(double seconds);

}  // namespace pade::support
