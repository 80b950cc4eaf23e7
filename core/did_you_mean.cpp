#include <algorithm>
#include <numeric>
#include <utility>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>

namespace pade {
namespace {

/// The fewest letters to insert, drop or replace, or neighbours to exchange, that make b of a
/// (Levenshtein, with exchanges), one row at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] != b[j - 1]), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view given, const std::vector<std::string>& known) {
  std::string nearest;
  size_t best = std::max<size_t>(given.size() / 2, 2) + 1;
  for (const std::string& name : known) {
    const size_t distance =
        name.starts_with(given) && !given.empty() ? 1 : edit_distance(given, name);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

void fail_unknown_name(std::string_view kind, std::string_view given,
                       const std::vector<std::string>& known) {
  std::string message = "unknown " + std::string(kind) + " \"" + std::string(given) + "\"; ";
  const std::string nearest = nearest_name(given, known);
  if (!nearest.empty()) message += "did you mean \"" + nearest + "\"? ";
  message += nearest.empty() ? "there are: " : "There are: ";
  for (size_t i = 0; i < known.size(); ++i) message += (i ? ", " : "") + known[i];
  throw_error(message);
}

void check_known_name(std::string_view kind, std::string_view given,
                      const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), given) == known.end())
    fail_unknown_name(kind, given, known);
}

}  // namespace pade
