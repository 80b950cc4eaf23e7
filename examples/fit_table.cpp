// Prints examples/fits.md, the page of what each basis and form can make of Leaky ReLU:
//   build/examples/fit_table > examples/fits.md

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <string>

#include <pade/core/numbers.h>
#include <pade/pade.h>

#include "support/command.h"
#include "support/options.h"

using namespace pade;

namespace {

constexpr double kFar = 20;

/// Two significant digits, without an exponent.
std::string two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", value);
  const double rounded = parse_double(text).value();
  const double size = std::abs(rounded);
  const int decimals =
      size == 0 ? 0 : std::max(0, 1 - static_cast<int>(std::floor(std::log10(size) + 1e-9)));
  std::snprintf(text, sizeof text, "%.*f", decimals, rounded);
  return text;
}

std::string poles_of(const RationalFunction& function) {
  std::string text;
  for (double x : real_poles(function, -kFar, kFar))
    text += (text.empty() ? "pole at " : ", ") + two_digits(x);
  return text.empty() ? "none" : text;
}

void print_fits(double width) {
  std::cout << "\n## On [−" << width << ", " << width << "]\n\n"
            << "| basis | form | RMS | max error | G(−20) | G(20) | max \\|G′\\| | poles |\n"
            << "|---|---|---|---|---|---|---|---|\n";
  FitOptions fit{-width, width};
  fit.beyond = kFar - width;
  for (const Basis basis : kAllBases)
    for (const auto form :
         {RationalForm::termwise, RationalForm::whole_sum, RationalForm::unsafe}) {
      const FitResult result =
          fit_rational(fit_target_named("leaky_relu"), {basis, form}, 5, 4, fit);
      std::cout << "| " << name_of(basis) << " | " << name_of(form);
      for (double value :
           {result.rms, result.max_error, result.below, result.above, result.max_slope})
        std::cout << " | " << two_digits(value);
      std::cout << " | " << poles_of(result.function) << " |\n";
    }
}

int print_page() {
  std::cout
      << "# Fits of Leaky ReLU\n\n"
         "How near rational functions of degrees 5/4 come to Leaky ReLU with slope 0.01, in every\n"
         "basis and form, by `fit_rational()` with its defaults: least squares over 401 points of\n"
         "the interval. RMS and max error are over those points, max |G′| is over the interval,\n"
         "and G(±20) shows what the function does far outside, where Leaky ReLU is −0.2 and 20.\n"
         "Poles are looked for between −20 and 20. All numbers have two digits.\n\n"
         "Without absolute values the bases are ways to write the same functions, so all unsafe\n"
         "forms have one fit. full_sum holds whole_sum and, on an interval, unsafe: its fits are "
         "at\n"
         "least as near as theirs, and are left out. This page is printed by\n"
         "`examples/fit_table.cpp`:\n\n"
         "    build/examples/fit_table > examples/fits.md\n";
  for (const double width : {3, 5, 10}) print_fits(width);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Prints the page of what each basis and form can make of Leaky ReLU: examples/fits.md.",
      "fit_table");
  app.footer(support::examples_text({{"> examples/fits.md", "after a change of the fits"}}));
  return support::run_program(app, argc, argv, print_page);
}
