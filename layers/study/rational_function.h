#pragma once

#include <string>
#include <vector>

#include <pade/core/rational_form.h>

namespace pade {

/// A rational function with its coefficients, in float64: c_0 … c_m and d_1 … d_n, in full_sum
/// d_0 … d_n.
struct RationalFunction {
  RationalOptions options;
  std::vector<double> c, d;

  /// m and n as the numbers of coefficients say; −1 without any (n only in full_sum).
  int numerator_degree() const;
  int denominator_degree() const;
  /// Throws Error unless both are from 0 to 8. `who` asks.
  void check_degrees(const std::string& who) const;

  /// G and dG/dx, as derivatives_of() gives them (derivatives.h), and Q.
  double operator()(double x) const;
  double slope(double x) const;
  double denominator(double x) const;
};

}  // namespace pade
