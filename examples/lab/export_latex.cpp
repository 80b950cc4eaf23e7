#include <cmath>
#include <string>
#include <vector>

#include <pade/layers/study/polynomial.h>

#include "lab/export.h"
#include "lab/tex.h"

namespace pade::lab {
namespace {

/// The shorter text; the first where both are as long.
std::string shorter(const std::string& a, const std::string& b) {
  return b.size() < a.size() ? b : a;
}

/// f_k of a basis by its name: `\mathrm{He}_{2}(x)`.
std::string polynomial_name(Basis basis, int k) {
  const std::string number = std::to_string(k);
  const auto named = [&](const std::string& family) { return family + "_{" + number + "}(x)"; };
  switch (basis) {
    case Basis::monomial: return k == 1 ? "x" : "x^{" + number + '}';
    case Basis::chebyshev_t: return named("T");
    case Basis::chebyshev_u: return named("U");
    case Basis::hermite_he: return named("\\mathrm{He}");
    case Basis::hermite_h: return named("H");
    case Basis::laguerre: return named("L");
    case Basis::legendre: return named("P");
  }
  return "";
}

void add_power(std::string& sum, double factor, int k, int digits) {
  add_tex_term(sum, factor, k == 0 ? "" : polynomial_name(Basis::monomial, k), digits);
}

std::string powers(const Polynomial& polynomial, int digits) {
  std::string sum;
  for (int k = 0; k <= polynomial.degree(); ++k)
    add_power(sum, polynomial.c[static_cast<size_t>(k)], k, digits);
  return sum;
}

/// Σ coefficients[k] f_k, in powers of x or as the basis has it.
std::string polynomial(Basis basis, const std::vector<double>& coefficients, int digits) {
  std::string sum;
  for (size_t k = 0; k < coefficients.size(); ++k)
    add_tex_term(sum, coefficients[k], k == 0 ? "" : polynomial_name(basis, static_cast<int>(k)),
                 digits);
  return shorter(powers(monomial_coefficients(basis, coefficients), digits), sum);
}

/// |f_k| divided by the leading coefficient's magnitude, which is put into `scale`.
std::string monic_magnitude(Basis basis, int k, double& scale) {
  std::vector<double> only(static_cast<size_t>(k) + 1);
  only.back() = 1;
  const Polynomial expanded = monomial_coefficients(basis, only);
  const double leading = expanded.c.back();
  scale = std::abs(leading);
  if (basis == Basis::monomial && k % 2 == 0) return polynomial_name(basis, k);
  std::string sum;
  for (int power = k; power >= 0; --power)
    add_power(sum, expanded.c[static_cast<size_t>(power)] / leading, power, 0);
  return '|' + sum + '|';
}

std::string termwise_sum(Basis basis, const std::vector<double>& d, int digits) {
  std::string named, expanded;
  for (size_t j = 0; j < d.size(); ++j) {
    const int k = static_cast<int>(j) + 1;
    double scale = 1;
    const std::string magnitude = monic_magnitude(basis, k, scale);
    add_tex_term(expanded, std::abs(d[j]) * scale, magnitude, digits);
    add_tex_term(named, std::abs(d[j]), '|' + polynomial_name(basis, k) + '|', digits);
  }
  return shorter(expanded, named);
}

std::string denominator(const RationalFunction& g, int digits) {
  const RationalForm form = g.options.form;
  const std::string constant = tex_number(denominator_constant(form), digits);
  std::vector<double> d = g.d;
  if (first_denominator(form) == 1) d.insert(d.begin(), form == RationalForm::unsafe ? 1 : 0);
  std::string sum;
  switch (form) {
    case RationalForm::unsafe: return polynomial(g.options.basis, d, digits);
    case RationalForm::termwise: sum = termwise_sum(g.options.basis, g.d, digits); break;
    case RationalForm::whole_sum:
    case RationalForm::full_sum: sum = polynomial(g.options.basis, d, digits); break;
  }
  if (sum.empty()) return constant;
  return constant + " + " + (takes_magnitude_of_sum(form) ? "\\left|" + sum + "\\right|" : sum);
}

std::string rational(const RationalFunction& g, int digits) {
  const std::string p = polynomial(g.options.basis, g.c, digits), q = denominator(g, digits);
  if (p.empty()) return "0";
  return q == "1" ? p : "\\frac{" + p + "}{" + q + '}';
}

std::string formula(const ActivationFunction& f, int digits) {
  std::string text = tex_of_formula(f.formula()->text);
  const std::vector<std::string> names = f.names();
  for (size_t k = 0; k < names.size(); ++k)
    text += std::string(k == 0 ? ", \\qquad " : ",\\; ") + tex_name(names[k]) + " = " +
            tex_number(f.values()[k], digits);
  return text;
}

const char* about(Basis basis) {
  switch (basis) {
    case Basis::monomial: return "";
    case Basis::chebyshev_t: return "T_k: Chebyshev polynomials of the first kind";
    case Basis::chebyshev_u: return "U_k: Chebyshev polynomials of the second kind";
    case Basis::hermite_he: return "He_k: probabilists' Hermite polynomials";
    case Basis::hermite_h: return "H_k: physicists' Hermite polynomials";
    case Basis::laguerre: return "L_k: Laguerre polynomials";
    case Basis::legendre: return "P_k: Legendre polynomials";
  }
  return "";
}

}  // namespace

std::string exported_latex(const Export& what) {
  std::string text = origin_comment(what, "% ");
  for (const ExportedFunction& function : what.functions) {
    for (size_t group = 0; group < function.groups.size(); ++group) {
      const ActivationFunction& f = function.groups[group];
      const bool is_named = what.is_spec && f.formula();  // which may be a word of C
      const std::string name =
          tex_name(is_named ? f.formula()->name : function.name) +
          (function.groups.size() > 1 ? "_{" + std::to_string(group) + '}' : "");
      const RationalFunction* g = f.rational();
      const std::string right = g ? rational(*g, what.digits) : formula(f, what.digits);
      if (g && right.find("}(x)") != right.npos)
        text += std::string("% ") + about(g->options.basis) + '\n';
      text += "\\[\n  " + name + "(x) = " + right + "\n\\]\n";
    }
  }
  return text;
}

}  // namespace pade::lab
