#include <cmath>
#include <string>
#include <vector>

#include <pade/core/error.h>

#include "lab/export.h"
#include "lab/function_code.h"

namespace pade::lab {
namespace {

/// C in one of its two precisions.
class C : public Language {
 public:
  explicit C(bool is_float) : is_float_(is_float) {}

  std::string type() const { return is_float_ ? "float" : "double"; }
  std::string number(double value) const override {
    if (!is_float_) return literal(value);
    const auto narrow = static_cast<float>(value);
    check(std::isfinite(narrow), "export: ", value, " is beyond the numbers that float has");
    return literal(narrow) + 'f';
  }
  std::string call(const std::string& function, const std::string& arguments) const override {
    return function + (is_float_ ? "f(" : "(") + arguments + ')';
  }
  std::string choice(const std::string& a, const std::string& b, const std::string& then,
                     const std::string& otherwise) const override {
    return a + " < " + b + " ? " + then + " : " + otherwise;
  }
  std::string declaration(const std::string& name, const std::string& value) const override {
    return "const " + type() + ' ' + name + " = " + value + ';';
  }
  bool is_float() const { return is_float_; }

 private:
  bool is_float_;
};

/// What a function is made of besides its code.
struct Signature {
  std::string prefix;  ///< "static inline "
  std::string name;    ///< "act1"
  bool has_groups;

  std::string full_name(const C& c, bool is_slope) const {
    return name + (c.is_float() ? "" : "_double") + (is_slope ? "_dx" : "");
  }
  std::string head(const C& c, bool is_slope) const {
    return prefix + c.type() + ' ' + full_name(c, is_slope) + '(' + c.type() + " x" +
           (has_groups ? ", int group" : "") + ") {\n";
  }
  std::string table(const C& c) const { return name + "_table" + (c.is_float() ? "" : "_double"); }
};

/// The lines and `return`, with this much before each.
std::string body(const Expression& expression, const C& c, const std::string& indent) {
  const StraightLine code = straight_line({expression}, c);
  std::string text;
  for (const std::string& line : code.lines) text += indent + line + '\n';
  return text + indent + "return " + code.results[0] + ";\n";
}

const Expression& part(const FunctionCode& code, bool is_slope) {
  return is_slope ? code.slope : code.value;
}

/// A function that returns the coefficients of one group.
std::string table(const MonicRational& rational, const Signature& signature, const C& c) {
  const auto& rows = rational.coefficients();
  std::string text = signature.prefix + "const " + c.type() + "* " + signature.table(c) +
                     "(int group) {\n  static const " + c.type() + " k[" +
                     std::to_string(rows.size()) + "][" + std::to_string(rows[0].size()) +
                     "] = {\n";
  for (size_t row = 0; row < rows.size(); ++row) {
    text += "      {";
    for (size_t k = 0; k < rows[row].size(); ++k)
      text += (k > 0 ? ", " : "") + c.number(rows[row][k]);
    text += row + 1 < rows.size() ? "},\n" : "}};\n";
  }
  return text + "  return k[group];\n}\n\n";
}

/// Far from 0, float leaves it to double, in which no power of x is out of range.
std::string rational_function(const MonicRational& rational, const Signature& signature, const C& c,
                              bool is_slope) {
  const std::string array = signature.has_groups ? "k" : "";
  std::string text = signature.head(c, is_slope);
  const std::string fetch =
      signature.has_groups
          ? "const " + c.type() + "* const k = " + signature.table(c) + "(group);\n"
          : "";
  if (!c.is_float() && !fetch.empty()) text += "  " + fetch;
  text += "  if (!(" + c.call("fabs", "x") + " <= " + c.number(rational.limit(c.is_float())) + "))";
  if (c.is_float())
    text += "\n    return (float)" + signature.full_name(C(false), is_slope) +
            (signature.has_groups ? "(x, group);\n" : "(x);\n");
  else
    text += " {\n" + body(part(rational.far(array), is_slope), c, "    ") + "  }\n";
  if (c.is_float() && !fetch.empty()) text += "  " + fetch;
  return text + body(part(rational.near(array), is_slope), c, "  ") + "}\n\n";
}

std::string code_of(const ExportedFunction& function, const std::string& prefix) {
  const Signature signature{prefix, function.name, function.groups.size() > 1};
  std::string text = "// ";
  for (const C& c : {C(true), C(false)})
    for (const bool is_slope : {false, true})
      text += signature.full_name(c, is_slope) +
              (is_slope ? (c.is_float() ? " are for float; " : " for double.\n") : " and ");
  const ActivationFunction& first = function.groups.front();
  for (const C& c : {C(false), C(true)}) {
    if (first.rational()) {
      const MonicRational rational(function.groups);
      if (signature.has_groups) text += table(rational, signature, c);
      for (const bool is_slope : {false, true})
        text += rational_function(rational, signature, c, is_slope);
    } else {
      const FunctionCode code = lab::code_of(*first.formula(), first.values(), c.is_float());
      for (const bool is_slope : {false, true}) {
        const Expression& result = part(code, is_slope);
        const bool uses_x = !result.node().operands.empty() || result.node().name == "x";
        text += signature.head(c, is_slope) + (uses_x ? "" : "  (void)x;\n") +
                body(result, c, "  ") + "}\n\n";
      }
    }
  }
  return text;
}

std::string header(const Export& what, const std::string& prefix) {
  std::string text =
      origin_comment(what, "// ") +
      "// Right for every finite x; at kinks as sgn(0) = +1 has it.\n\n#pragma once\n\n"
      "#include <math.h>\n\n";
  for (const ExportedFunction& function : what.functions) text += code_of(function, prefix);
  text.pop_back();  // the blank line at the end
  return text;
}

}  // namespace

std::string exported_c(const Export& what) { return header(what, "static inline "); }

std::string exported_cuda(const Export& what) {
  return header(what, "__host__ __device__ static inline ");
}

}  // namespace pade::lab
