#include <algorithm>
#include <fstream>
#include <string>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/formula.h>
#include <pade/core/io/file.h>
#include <pade/core/numbers.h>
#include <pade/layers/study/fit_target.h>

namespace pade {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// A line in two parts. The second is all that follows the first separator, which is a comma or a
/// semicolon with blanks around it, or blanks alone.
std::pair<std::string_view, std::string_view> halves(std::string_view line) {
  const size_t end = std::min(line.find_first_of(",; \t"), line.size());
  std::string_view rest = trimmed(line.substr(end));
  if (!rest.empty() && (rest[0] == ',' || rest[0] == ';')) rest = trimmed(rest.substr(1));
  return {line.substr(0, end), rest};
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
  bool may_be_header = true;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line.starts_with("\xEF\xBB\xBF"))
      line.erase(0, 3);  // as Excel begins a file
    const std::string_view text = trimmed(line);
    if (text.empty() || text[0] == '#') continue;
    const auto [first, second] = halves(text);
    const auto x = parse_double(first), y = parse_double(second);
    const bool is_header = may_be_header && !x && !y;
    may_be_header = false;
    if (is_header) continue;
    check(x && y, "read_samples: ", path.string(), ", line ", number,
          ": expected two finite numbers with decimal points, as in \"0.5,1\", \"0.5;1\" or "
          "\"0.5 1\", got \"",
          text.substr(0, 80), '"');
    samples.push_back({*x, *y});
  }
  check(!in.bad(), "read_samples: ", path.string(), " cannot be read to its end");
  check(!samples.empty(), "read_samples: ", path.string(),
        " has no samples; expected lines \"x,y\"");
  return samples;
}

}  // namespace pade
