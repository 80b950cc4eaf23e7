#pragma once

#include <string>
#include <vector>

#include <pade/core/formula.h>
#include <pade/layers/study/rational_function.h>

namespace pade {

/// A function of one variable with the coefficients that make it, in float64: a rational one, or
/// one of all_formulas() with values for its constants. What is done with every activation alike
/// (recording, drawing, comparing) is done with these.
class ActivationFunction {
 public:
  ActivationFunction(RationalFunction rational);
  /// Throws Error unless there is a value for each constant.
  ActivationFunction(const Formula& formula, const std::vector<double>& constants);

  /// Which of the two it is; the other is nullptr.
  const RationalFunction* rational() const { return formula_ ? nullptr : &rational_; }
  const Formula* formula() const { return formula_; }

  /// What its coefficients are called, c0 … cm and d1 … dn (in full_sum from d0 on) or as the
  /// formula's constants are, and what they are, in the same order.
  std::vector<std::string> names() const;
  std::vector<double> values() const;
  /// The function of the same kind with these values. Throws Error unless there are as many.
  ActivationFunction with(const std::vector<double>& values) const;

  /// The SPEC of which make_activation() makes it: "swish:beta=1.5", or, of a rational one, with
  /// all its coefficients, "opau:basis=monomial,form=termwise,coefficients=0.1 1/0.5".
  std::string spec() const;

  Derivatives derivatives(double x) const;
  double operator()(double x) const { return derivatives(x).value; }
  /// The real poles in [low, high], from left to right. Formulas have none.
  std::vector<double> poles(double low, double high) const;

 private:
  RationalFunction rational_;
  const Formula* formula_ = nullptr;
  std::vector<double> constants_;
};

}  // namespace pade
