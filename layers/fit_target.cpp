#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include <pade/core/error.h>
#include <pade/core/io/input_file.h>
#include <pade/core/names.h>
#include <pade/core/ops/formula.h>
#include <pade/layers/fit_target.h>

namespace pade {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The number that `text` is, or NaN.
double number_in(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::function<double(double)> fit_target_named(std::string_view name) {
  if (const Formula* formula = find_formula(name))
    return [formula, constants = formula->starts()](double x) {
      return derivatives_of(*formula, x, constants).value;
    };
  std::vector<std::string> known;
  for (const Formula& formula : all_formulas()) known.push_back(formula.name);
  fail_unknown_name("function to start from", name, known);
}

std::vector<FitSample> read_samples(const std::filesystem::path& path) {
  std::ifstream in = open_input(path);
  std::vector<FitSample> samples;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line.starts_with("\xEF\xBB\xBF"))
      line.erase(0, 3);  // as Excel begins a file
    const std::string_view text = trimmed(line);
    if (text.empty()) continue;
    const size_t comma = std::min(text.find(','), text.size());
    const double x = number_in(text.substr(0, comma));
    const double y = number_in(text.substr(std::min(comma + 1, text.size())));
    if (number == 1 && std::isnan(x) && std::isnan(y)) continue;
    check(std::isfinite(x) && std::isfinite(y), "read_samples: ", path.string(), ", line ", number,
          ": expected \"x,y\" with two finite numbers, got \"", text.substr(0, 80), '"');
    samples.push_back({x, y});
  }
  check(!in.bad(), "read_samples: ", path.string(), " cannot be read to its end");
  check(!samples.empty(), "read_samples: ", path.string(),
        " has no samples; expected lines \"x,y\"");
  return samples;
}

}  // namespace pade
