#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pade::compare {

/// How far a grid is. On a terminal, a line that is rewritten:
///
///   3/9 cells ━━━━━━━━╸─────────────── 12 min left   relu, seed 2: 3/10, loss 0.3127   hp1, seed …
///
/// above which finished cells get a line each; elsewhere only those.
class Display {
 public:
  /// `epochs` are those of all cells together, `epochs_before` those that are done already.
  Display(size_t cells, size_t cells_before, int64_t epochs, int64_t epochs_before, bool quiet);
  ~Display();
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  /// Whether update() would draw now: five times a second, on a terminal.
  bool due() const;
  /// `epochs` done, and what the running cells do.
  void update(int64_t epochs, const std::vector<std::string>& running);
  /// One more cell is over; prints `line` with its number.
  void finished(const std::string& line);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  size_t cells_, cells_done_;
  int64_t epochs_, epochs_before_;
  bool quiet_, terminal_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_{};
};

}  // namespace pade::compare
