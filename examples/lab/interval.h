#pragma once

#include <optional>
#include <string>
#include <utility>

namespace CLI {
class App;
}

namespace pade::lab {

/// Where a command looks: the ends that the command line gave.
struct Interval {
  std::optional<double> low, high;

  bool is_given() const { return low || high; }
  /// Both ends, of which those that were not given are the `usual` ones. Throws
  /// CLI::ValidationError unless the first is below the second.
  std::pair<double, double> over(std::pair<double, double> usual) const;
};

/// Adds --interval A:B, and --from A and --to B, which say the same in two parts. `usual` is what
/// the help says of the ends that are not given.
void add_interval(CLI::App& command, Interval& interval, const std::string& usual = "-5:5");

}  // namespace pade::lab
