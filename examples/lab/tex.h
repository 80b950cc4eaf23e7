#pragma once

#include <string>

namespace pade::lab {

/// A number in TeX with so many significant digits, or with all for 0: `1.2\cdot10^{-5}`.
std::string tex_number(double value, int digits);

/// Adds a term to a sum in TeX, where a factor of 1 is left out and of 0 the whole term. `what` may
/// be empty: the factor is the term.
void add_tex_term(std::string& sum, double factor, const std::string& what, int digits);

/// A name as a variable of a formula: `\alpha`, `c_{1}`, `\mathrm{slope}`.
std::string tex_name(const std::string& name);

/// The formula of an activation in words (Formula::text) in TeX: fractions, roots and powers where
/// these are. Throws Error for text that is none.
std::string tex_of_formula(const std::string& text);

}  // namespace pade::lab
