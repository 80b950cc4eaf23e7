#pragma once

#include <string>
#include <vector>

#include <pade/layers/study/activation_function.h>
#include <pade/layers/study/value_distribution.h>

#include "lab/nearest_formula.h"

/// Functions in words and in characters, for the terminal.
namespace pade::lab {

/// Four significant digits: 0.3066.
std::string short_number(double value);
/// All digits that they have, with commas between, as --coefficients takes them.
std::string joined(const std::vector<double>& numbers);
/// What f_k of a basis is called: "He2", "x^2".
std::string polynomial_name(Basis basis, int k);

/// "1.131 + 1.788 He1 - 0.3 He2", and "1 + 1.075 |He1| + 0.3066 |He2|" as the form says. Terms
/// with the coefficient 0 are left out.
std::string numerator_text(const RationalFunction& g);
std::string denominator_text(const RationalFunction& g);

/// "beta = 1.31", "alpha = 0.25, mu = 0.9": the constants of a formula.
std::string constants_text(const ActivationFunction& formula);

/// "2 gelu(0.5 x + 1) - 0.3"; a constant where a = 0.
std::string text_of(const ScaledFormula& f);

/// A character per bar, ▁ to █; a blank where there is nothing.
std::string bars_of(const Histogram& histogram);

/// The text with line breaks before its signs and behind its commas, where lines would be longer
/// than `width`; those that follow begin with `indent` blanks, which the first is taken to have
/// too.
std::string broken(const std::string& text, size_t indent, size_t width = 100);

}  // namespace pade::lab
