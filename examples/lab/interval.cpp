#include "lab/interval.h"

#include <algorithm>

#include <pade/core/numbers.h>
#include <pade/core/text_stream.h>

#include "support/number_option.h"

namespace pade::lab {

std::pair<double, double> Interval::over(std::pair<double, double> usual) const {
  const double from = low.value_or(usual.first), to = high.value_or(usual.second);
  if (from < to) return {from, to};
  TextStream message;
  message << "the left end, " << from << ", is not below the right end, " << to;
  throw CLI::ValidationError("interval", message.str());
}

void add_interval(CLI::App& command, Interval& interval, const std::string& usual) {
  command
      .add_option_function<std::string>(
          "--interval",
          [&interval](const std::string& text) {
            const size_t colon = std::min(text.find(':'), text.size());
            interval.low = parse_double(text.substr(0, colon));
            interval.high = parse_double(text.substr(std::min(colon + 1, text.size())));
            if (!interval.low || !interval.high || !(*interval.low < *interval.high))
              throw CLI::ValidationError("--interval",
                                         "expected A:B with A below B, got \"" + text + '"');
          },
          "from A to B")
      ->type_name("A:B")
      ->default_str(usual);
  support::add_number(command, "--from", interval.low, "left end, as in --interval")
      ->excludes("--interval");
  support::add_number(command, "--to", interval.high, "right end, as in --interval")
      ->excludes("--interval");
}

}  // namespace pade::lab
