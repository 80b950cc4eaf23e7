#include "lab/function_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <vector>

namespace pade::lab {
namespace {

/// Adds a term to a sum: "" and −2 x give "-2 x", "1" and −1 x give "1 - x".
void add(std::string& sum, double factor, const std::string& what = "") {
  if (factor == 0) return;
  const bool negative = std::signbit(factor);
  sum += sum.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
  if (what.empty() || std::abs(factor) != 1) sum += short_number(std::abs(factor));
  if (!what.empty()) sum += (std::abs(factor) != 1 ? " " : "") + what;
}

}  // namespace

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string joined(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) {
    char digits[32];
    char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text += (text.empty() ? "" : ",") + std::string(digits, end);
  }
  return text;
}

std::string polynomial_name(Basis basis, int k) {
  const std::string number = std::to_string(k);
  switch (basis) {
    case Basis::monomial: return k == 1 ? "x" : "x^" + number;
    case Basis::chebyshev_t: return "T" + number;
    case Basis::chebyshev_u: return "U" + number;
    case Basis::hermite_he: return "He" + number;
    case Basis::hermite_h: return "H" + number;
    case Basis::laguerre: return "L" + number;
    case Basis::legendre: return "Le" + number;
  }
  return "";
}

std::string numerator_text(const RationalFunction& g) {
  std::string sum;
  for (size_t i = 0; i < g.c.size(); ++i)
    add(sum, g.c[i], i == 0 ? "" : polynomial_name(g.options.basis, static_cast<int>(i)));
  return sum.empty() ? "0" : sum;
}

std::string denominator_text(const RationalFunction& g) {
  const bool termwise = g.options.form == RationalForm::termwise;
  const bool magnitude = takes_magnitude_of_sum(g.options.form);
  const std::string constant = short_number(denominator_constant(g.options.form));
  std::string sum = magnitude ? "" : constant;
  const int first = first_denominator(g.options.form);
  for (int j = first; j <= g.denominator_degree(); ++j) {
    const double d = g.d[static_cast<size_t>(j - first)];
    const std::string name = j == 0 ? "" : polynomial_name(g.options.basis, j);
    add(sum, termwise ? std::abs(d) : d, termwise ? "|" + name + "|" : name);
  }
  if (!magnitude) return sum;
  return sum.empty() ? constant : constant + " + |" + sum + "|";
}

std::string constants_text(const ActivationFunction& formula) {
  const std::vector<std::string> names = formula.names();
  const std::vector<double> values = formula.values();
  std::string text;
  for (size_t k = 0; k < names.size(); ++k)
    text += (k == 0 ? "" : ", ") + names[k] + " = " + short_number(values[k]);
  return text;
}

std::string text_of(const ScaledFormula& f) {
  std::string argument, text;
  add(argument, f.b, "x");
  add(argument, f.c);
  add(text, f.a, std::string(f.formula->name) + "(" + argument + ")");
  add(text, f.d);
  return text.empty() ? "0" : text;
}

std::string bars_of(const Histogram& histogram) {
  static const char* const kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  int64_t highest = 1;
  for (const int64_t count : histogram.counts) highest = std::max(highest, count);
  std::string bars;
  for (const int64_t count : histogram.counts)
    bars += kBlocks[static_cast<int>(
        std::ceil(8 * static_cast<double>(count) / static_cast<double>(highest)))];
  return bars;
}

std::string broken(const std::string& text, size_t indent, size_t width) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    const bool goes_on =
        !words.empty() && word != "+" && word != "-" && !words.back().ends_with(',');
    if (goes_on)
      words.back() += " " + word;
    else
      words.push_back(word);
  }
  std::string out;
  size_t column = indent;
  for (const std::string& word : words) {
    if (!out.empty() && column + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!out.empty()) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

}  // namespace pade::lab
