#include "compare/markdown.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include <pade/core/text_stream.h>

#include "support/terminal.h"

namespace pade::compare {
namespace {

constexpr const char* kNone = "–";

std::string fixed(double value, int decimals, bool with_sign = false) {
  if (!std::isfinite(value)) return kNone;
  char text[64];
  std::snprintf(text, sizeof text, with_sign ? "%+.*f" : "%.*f", decimals, value);
  return text;
}

/// "90.28 ± 0.13"; the spread where there is one.
std::string mean_and_std(const Sample& sample, int decimals, double scale = 1) {
  if (sample.n == 0) return kNone;
  return fixed(scale * sample.mean, decimals) +
         (sample.std ? " ± " + fixed(scale * *sample.std, decimals) : "");
}

std::string p_value(const std::optional<double>& p) {
  if (!p) return kNone;
  return *p < 0.001 ? "< 0.001" : fixed(*p, 3);
}

std::string runs(const ActivationSummary& summary) {
  std::string text = std::to_string(summary.test_accuracy.n);
  if (summary.failed > 0) text += ", " + std::to_string(summary.failed) + " failed";
  if (summary.unfinished > 0) text += ", " + std::to_string(summary.unfinished) + " to come";
  return text;
}

std::string difference(const ActivationSummary& summary) {
  const PairedDifference& pairs = summary.difference;
  if (pairs.n == 0) return kNone;
  std::string text = fixed(100 * pairs.mean, 2, true);
  if (pairs.low)
    text +=
        " [" + fixed(100 * *pairs.low, 2, true) + ", " + fixed(100 * *pairs.high, 2, true) + "]";
  if (pairs.n < summary.test_accuracy.n) text += " of " + std::to_string(pairs.n);
  return text;
}

std::string seeds_needed(const PairedDifference& pairs) {
  if (!pairs.resolvable) return kNone;
  return pairs.pairs_needed ? std::to_string(*pairs.pairs_needed) : "> 1,000,000";
}

std::string epochs_to_baseline(const ActivationSummary& summary) {
  if (summary.test_accuracy.n == 0) return kNone;
  const Sample& epochs = summary.epochs_to_baseline;
  return (epochs.n > 0 ? fixed(epochs.mean, 1) : kNone) + " (" + std::to_string(epochs.n) + "/" +
         std::to_string(summary.test_accuracy.n) + ")";
}

std::vector<std::string> row_of(const ActivationSummary& summary) {
  return {summary.activation,
          mean_and_std(summary.test_accuracy, 2, 100),
          runs(summary),
          difference(summary),
          p_value(summary.difference.p),
          p_value(summary.p_holm),
          seeds_needed(summary.difference),
          summary.difference.resolvable ? fixed(100 * *summary.difference.resolvable, 2) : kNone,
          mean_and_std(summary.best_test_accuracy, 2, 100),
          mean_and_std(summary.train_loss, 3),
          epochs_to_baseline(summary),
          mean_and_std(summary.seconds_per_epoch, 2),
          summary.parameters ? std::to_string(*summary.parameters) : kNone};
}

using Rows = std::vector<std::vector<std::string>>;
constexpr size_t kOfAccuracies = 8;  // the first columns

/// With the names of the columns as the first row.
Rows rows_of(const Grid& grid, const std::vector<ActivationSummary>& summaries) {
  const std::string& first = grid.activations[0];
  Rows rows{{"activation", "test accuracy, %", "n", "difference to " + first + ", points [95 %]",
             "p", "p (Holm)", "seeds needed", "resolvable, points", "best, %", "train loss",
             "epochs to " + first, "s/epoch", "parameters"}};
  for (const ActivationSummary& summary : summaries) rows.push_back(row_of(summary));
  return rows;
}

/// The characters of the longest text in each column.
std::vector<size_t> widths_of(const Rows& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], support::count_characters(row[i]));
  return widths;
}

/// The columns with these numbers as a table.
std::string aligned(const Rows& rows, const std::vector<size_t>& columns) {
  const std::vector<size_t> widths = widths_of(rows);
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i : columns)
      text += "| " + rows[r][i] +
              std::string(widths[i] - support::count_characters(rows[r][i]) + 1, ' ');
    text += "|\n";
    if (r > 0) continue;
    for (size_t i : columns) text += '|' + std::string(widths[i] + 2, '-');
    text += "|\n";
  }
  return text;
}

/// One table, or several below one another that are not wider than `columns`, as far as single
/// columns allow it. Each begins with the first column.
std::string wrapped(const Rows& rows, size_t columns) {
  const std::vector<size_t> widths = widths_of(rows);
  const auto room = [&](size_t i) { return widths[i] + 3; };
  std::string tables;
  for (size_t next = 1; next < widths.size();) {
    std::vector<size_t> shown{0};
    for (size_t used = 1 + room(0); next < widths.size(); ++next) {
      if (shown.size() > 1 && used + room(next) > columns) break;
      used += room(next);
      shown.push_back(next);
    }
    tables += (tables.empty() ? "" : "\n") + aligned(rows, shown);
  }
  return tables;
}

/// Each once, with semicolons between.
template <class Text>
std::string all_of(const std::vector<CellResult>& results, Text text) {
  std::set<std::string> different;
  for (const CellResult& result : results)
    if (result.state == CellState::finished) different.insert(result.*text);
  std::string list;
  for (const std::string& one : different) list += (list.empty() ? "" : "; ") + one;
  return list.empty() ? kNone : list;
}

std::string unquoted(const std::string& json) {
  return json.starts_with('"') ? json.substr(1, json.size() - 2) : json;
}

std::string options_line(const Grid& grid) {
  std::string line;
  for (const auto& [name, value] : grid.options)
    if (value != "null" && value != "\"\"")
      line += (line.empty() ? "" : ", ") + name + " " + unquoted(value);
  return line;
}

}  // namespace

std::string markdown_table(const Grid& grid, const std::vector<ActivationSummary>& summaries,
                           size_t columns) {
  return wrapped(rows_of(grid, summaries), columns);
}

std::string markdown_verdict(const Grid& grid, const std::vector<ActivationSummary>& summaries,
                             size_t columns) {
  Rows rows = rows_of(grid, summaries);
  for (auto& row : rows) row.resize(kOfAccuracies);
  return wrapped(rows, columns);
}

std::string markdown_page(const Grid& grid, const std::vector<CellResult>& results,
                          const std::vector<ActivationSummary>& summaries) {
  const std::string& first = grid.activations[0];
  const auto finished = std::ranges::count(results, CellState::finished, &CellResult::state);
  TextStream out;
  out << markdown_table(grid, summaries) << '\n'
      << finished << " of " << results.size() << " runs are finished. Figures are mean ± sample "
      << "standard deviation over n seeds, after the last epoch; none was chosen by its test "
      << "accuracy, but for *best*, which is the highest of all epochs and therefore flatters. The "
      << "difference to " << first << " is paired by seed: runs of one seed start from the same "
      << "weights and see the images in the same order. Its 95 % interval and p-value are those of "
      << "the two-sided paired t test; p (Holm) is corrected for all activations compared here. "
      << "*Seeds needed* is the number of pairs with which that test, at 5 %, would find this "
      << "difference with a probability of 80 %, given the spread found here; *resolvable* is the "
      << "smallest difference that it finds so with the pairs of this table. "
      << "*Epochs to " << first << "* is the first epoch that reaches the mean final test accuracy "
      << "of " << first
      << ", over the runs that do, whose number is in parentheses. Seconds are of "
      << "training and testing. " << kNone << ": not defined, as with fewer than two pairs or "
      << "without any spread.\n\n"
      << "* command: `" << grid.command << "`\n"
      << "* data: " << unquoted(grid.option("dataset"));
  if (grid.option("limit") != "null")
    out << ", the first " << grid.option("limit") << " training images";
  if (grid.option("test-limit") != "null")
    out << ", the first " << grid.option("test-limit") << " test images";
  out << "\n* options: " << options_line(grid) << "\n* seeds:";
  for (uint64_t seed : grid.seeds) out << ' ' << seed;
  out << "\n* machine: " << all_of(results, &CellResult::machine)
      << "\n* commit: " << all_of(results, &CellResult::commit) << "\n* date: " << grid.date
      << '\n';
  bool heading = false;
  for (const CellResult& result : results)
    if (!result.failure.empty() && result.state != CellState::finished) {
      out << (heading ? "" : "\nFailed:\n\n") << "* " << result.cell.name() << ": "
          << result.failure << '\n';
      heading = true;
    }
  return out.str();
}

}  // namespace pade::compare
