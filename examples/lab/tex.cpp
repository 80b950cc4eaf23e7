#include "lab/tex.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <iomanip>
#include <map>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/text_stream.h>

#include "lab/export.h"

namespace pade::lab {
namespace {

/// Whether a text can be a factor as it is, or an operand of a sum.
enum Binding { sum, product, atom };

struct Tex {
  std::string text;
  Binding binding;

  std::string at(Binding least) const { return binding >= least ? text : in_parentheses(); }
  std::string in_parentheses() const { return "\\left(" + text + "\\right)"; }
};

/// By recursive descent. Products have no sign between their factors, and a name right before a
/// parenthesis is a function.
class FormulaReader {
 public:
  explicit FormulaReader(const std::string& text) : text_(text) {}

  std::string read() {
    Tex whole = read_sum();
    if (accept('>')) whole = read_cases(whole);
    skip_blanks();
    check(at_ == text_.size(), "formula: cannot read \"", text_, "\" from character ", at_ + 1);
    return whole.text;
  }

 private:
  /// Of `a > b ? then : otherwise`, behind the >.
  Tex read_cases(const Tex& a) {
    const std::string b = read_sum().text;
    expect('?');
    const std::string then = read_sum().text;
    expect(':');
    const std::string otherwise = read_sum().text;
    return {"\\left\\{\\begin{array}{ll}" + then + " & " + a.text + " > " + b + " \\\\ " +
                otherwise + " & " + a.text + " \\le " + b + "\\end{array}\\right.",
            sum};
  }

  Tex read_sum() {
    Tex left = read_product();
    while (peek() == '+' || peek() == '-') {
      const char sign = text_[at_++];
      left = {left.text + ' ' + sign + ' ' + read_product().at(product), sum};
    }
    return left;
  }

  Tex read_product() {
    if (accept('-')) return {'-' + read_product().at(product), sum};
    Tex left = read_power();
    for (;;) {
      if (accept('/')) {
        left = {"\\frac{" + left.text + "}{" + read_power().text + '}', product};
      } else if (is_word(peek()) || peek() == '(') {
        const std::string factor = left.at(product);
        left = {factor + "\\," + read_power().at(product), product};
      } else {
        return left;
      }
    }
  }

  Tex read_power() {
    const Tex base = read_atom();
    if (!accept('^')) return base;
    return {base.at(atom) + "^{" + read_atom().text + '}', atom};
  }

  Tex read_atom() {
    if (accept('(')) {
      const Tex inside = read_sum();
      expect(')');
      return inside;
    }
    const std::string word = read_word();
    if (at_ < text_.size() && text_[at_] == '(') return read_call(word);
    const bool is_number = std::isdigit(static_cast<unsigned char>(word.front())) != 0;
    return {is_number ? word : tex_name(word), atom};
  }

  Tex read_call(const std::string& function) {
    static const std::map<std::string, std::string> kNames{{"max", "\\max"},       {"min", "\\min"},
                                                           {"tanh", "\\tanh"},     {"ln", "\\ln"},
                                                           {"sigmoid", "\\sigma"}, {"exp", "e"}};
    expect('(');
    std::string arguments = read_sum().text;
    while (accept(',')) arguments += ", " + read_sum().text;
    expect(')');
    if (function == "sqrt") return {"\\sqrt{" + arguments + '}', atom};
    if (function == "exp") return {"e^{" + arguments + '}', product};
    const auto known = kNames.find(function);
    const std::string name = known == kNames.end() ? "\\mathrm{" + function + '}' : known->second;
    return {name + "\\left(" + arguments + "\\right)", product};
  }

  static bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
  }
  std::string read_word() {
    skip_blanks();
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    check(at_ > begin, "formula: cannot read \"", text_, "\" from character ", at_ + 1);
    return text_.substr(begin, at_ - begin);
  }
  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  /// The next character that is not blank; 0 at the end.
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    check(accept(wanted), "formula: expected ", wanted, " at character ", at_ + 1, " of \"", text_,
          '"');
  }

  const std::string text_;
  size_t at_ = 0;
};

}  // namespace

std::string tex_number(double value, int digits) {
  std::string text;
  if (digits == 0) {
    text = literal(value);
    if (text.ends_with(".0")) text.erase(text.size() - 2);
  } else {
    TextStream out;
    out << std::setprecision(digits) << value;
    text = out.str();
  }
  const size_t exponent = text.find('e');
  if (exponent == text.npos) return text;
  std::string power = text.substr(exponent + 1);
  const bool is_negative = power.starts_with('-');
  power.erase(0, power.find_first_not_of("+-0"));
  return text.substr(0, exponent) + "\\cdot10^{" + (is_negative ? "-" : "") + power + '}';
}

void add_tex_term(std::string& sum, double factor, const std::string& what, int digits) {
  if (factor == 0) return;
  const bool is_negative = std::signbit(factor);
  sum += sum.empty() ? (is_negative ? "-" : "") : (is_negative ? " - " : " + ");
  const std::string number = tex_number(std::abs(factor), digits);
  if (what.empty() || number != "1") sum += number + (what.empty() ? "" : "\\,");
  sum += what;
}

std::string tex_name(const std::string& name) {
  constexpr std::array kGreek{"alpha", "beta", "gamma", "delta", "theta", "mu", "pi"};
  if (std::find(kGreek.begin(), kGreek.end(), name) != kGreek.end()) return '\\' + name;
  if (name.size() == 2 && std::isdigit(static_cast<unsigned char>(name[1])) != 0)
    return name.substr(0, 1) + "_{" + name.substr(1) + '}';
  std::string escaped;
  for (const char c : name) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
  return name.size() == 1 ? name : "\\mathrm{" + escaped + '}';
}

std::string tex_of_formula(const std::string& text) { return FormulaReader(text).read(); }

}  // namespace pade::lab
