#include <string>
#include <utility>
#include <vector>

#include "lab/export.h"
#include "lab/function_code.h"

namespace pade::lab {
namespace {

/// Python, with functions of ours where its own raise what C answers by an infinity or a NaN.
class Python : public Language {
 public:
  explicit Python(bool is_guarded) : is_guarded_(is_guarded) {}

  std::string number(double value) const override { return literal(value); }
  std::string call(const std::string& function, const std::string& arguments) const override {
    if (function == "fabs") return "abs(" + arguments + ')';
    const bool raises = function != "tanh" && function != "erf" && function != "erfc";
    return (raises ? "_" : "math.") + function + '(' + arguments + ')';
  }
  std::string choice(const std::string& a, const std::string& b, const std::string& then,
                     const std::string& otherwise) const override {
    return then + " if " + a + " < " + b + " else " + otherwise;
  }
  std::string quotient(const std::string& a, const std::string& b) const override {
    return is_guarded_ ? "_quotient(" + a + ", " + b + ')' : Language::quotient(a, b);
  }
  std::string declaration(const std::string& name, const std::string& value) const override {
    return name + " = " + value;
  }

 private:
  bool is_guarded_;
};

const std::vector<std::pair<std::string, std::string>>& helpers() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {"_quotient(a, b)",
       "    if b == 0.0:\n        return a * math.copysign(math.inf, b)\n    return a / b\n"},
      {"_exp(x)", "    return math.exp(x) if x < 709.0 or x != x else math.inf\n"},
      {"_expm1(x)", "    return math.expm1(x) if x < 709.0 or x != x else math.inf\n"},
      {"_log(x)",
       "    if x == 0.0:\n        return -math.inf\n"
       "    return math.log(x) if x > 0.0 else math.nan\n"},
      {"_log1p(x)",
       "    if x == -1.0:\n        return -math.inf\n"
       "    return math.log1p(x) if x > -1.0 else math.nan\n"},
      {"_sqrt(x)", "    return math.sqrt(x) if x >= 0.0 else math.nan\n"},
      {"_sin(x)", "    return math.sin(x) if abs(x) < math.inf else math.nan\n"},
      {"_cos(x)", "    return math.cos(x) if abs(x) < math.inf else math.nan\n"},
      {"_pow(x, n)",
       "    try:\n        return math.pow(x, n)\n    except (OverflowError, ValueError):\n"
       "        return math.nan\n"}};
  return all;
}

std::string body(const Expression& expression, const Python& python, const std::string& indent) {
  const StraightLine code = straight_line({expression}, python);
  std::string text;
  for (const std::string& line : code.lines) text += indent + line + '\n';
  return text + indent + "return " + code.results[0] + '\n';
}

std::string head(const ExportedFunction& function, bool is_slope) {
  return "\n\ndef " + function.name + (is_slope ? "_dx" : "") + "(x" +
         (function.groups.size() > 1 ? ", group=0" : "") + "):\n    \"\"\"" +
         (is_slope ? "The derivative of " + function.name + ".\"\"\"\n"
                   : "The function at x.\"\"\"\n");
}

std::string table(const MonicRational& rational, const std::string& name) {
  std::string text = "\n\n" + name + " = (\n";
  for (const std::vector<double>& row : rational.coefficients()) {
    text += "    (";
    for (const double value : row) text += literal(value) + ", ";
    text.pop_back();
    text += "),\n";
  }
  return text + ")\n";
}

std::string code_of(const ExportedFunction& function) {
  const ActivationFunction& first = function.groups.front();
  if (const Formula* formula = first.formula()) {
    const FunctionCode code = lab::code_of(*formula, first.values(), false);
    const Python python(true);
    return head(function, false) + body(code.value, python, "    ") + head(function, true) +
           body(code.slope, python, "    ");
  }
  const MonicRational rational(function.groups);
  const Python python(first.rational()->options.form == RationalForm::unsafe);
  const bool has_groups = function.groups.size() > 1;
  const std::string array = has_groups ? "k" : "", name = "_" + function.name + "_table";
  std::string text = has_groups ? table(rational, name) : "";
  const FunctionCode near = rational.near(array), far = rational.far(array);
  for (const bool is_slope : {false, true}) {
    text += head(function, is_slope);
    if (has_groups) text += "    k = " + name + "[group]\n";
    text += "    if not abs(x) <= " + literal(rational.limit(false)) + ":\n" +
            body(is_slope ? far.slope : far.value, python, "        ") +
            body(is_slope ? near.slope : near.value, python, "    ");
  }
  return text;
}

}  // namespace

std::string exported_python(const Export& what) {
  std::string code;
  for (const ExportedFunction& function : what.functions) code += code_of(function);
  if (what.functions.size() == 1) {
    const std::string& name = what.functions.front().name;
    code += "\n\nf = " + name + "\ndf = " + name + "_dx\n";
  }
  std::string text = origin_comment(what, "# ") + "\nimport math\n";
  for (const auto& [signature, lines] : helpers())
    if (code.find(signature.substr(0, signature.find('(') + 1)) != std::string::npos)
      text += "\n\ndef " + signature + ":\n" + lines;
  return text + code;
}

}  // namespace pade::lab
