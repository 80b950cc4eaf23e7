#include <algorithm>
#include <cmath>

#include <pade/layers/study/coefficient_scale.h>
#include <pade/layers/study/derivatives.h>

namespace pade {
namespace {

/// ∂f/∂θ at x, for all θ.
std::vector<double> gradient_of(const ActivationFunction& f, double x) {
  if (f.formula()) return gradient_of(*f.formula(), x, f.values());
  const RationalFunction& g = *f.rational();
  const BasisDerivatives basis = differentiate_basis(g.options.basis, x);
  const RationalPoint at(g, basis, 1);
  std::vector<double> gradient;
  for (size_t k = 0; k < g.c.size() + g.d.size(); ++k) gradient.push_back(at.value_by(k));
  return gradient;
}

/// The inputs' standard deviation. Where the sum in Q may cancel, its smallest coefficient decides
/// where, far out: d_4 is 0.001 in a whole sum of Chebyshev U, and by what it does to inputs of
/// N(0, 1) its steps would be an eighth of itself.
double input_width(const ActivationFunction& f) {
  return f.rational() && f.rational()->options.form != RationalForm::termwise ? 2 : 1;
}

}  // namespace

std::vector<double> coefficient_sensitivities(const ActivationFunction& f) {
  constexpr double kEnd = 8, kStep = 1.0 / 32;  // the trapezoidal rule, as gradients have kinks
  const double width = input_width(f);
  std::vector<double> squares(f.values().size(), 0);
  double total = 0;
  for (double z = -kEnd; z <= kEnd; z += kStep) {
    const double weight = std::exp(-z * z / 2);
    const std::vector<double> gradient = gradient_of(f, width * z);
    for (size_t k = 0; k < squares.size(); ++k) squares[k] += weight * gradient[k] * gradient[k];
    total += weight;
  }
  for (double& square : squares) square = std::sqrt(square / total);
  return squares;
}

std::vector<double> step_scales(const ActivationFunction& start) {
  constexpr double kLeast = 0x1p-30, kMost = 64;
  constexpr double kTowards0 = 1 - 1e-9;  // a tie, as with PReLU's √½, goes to the scale nearer 1
  std::vector<double> scales;
  for (const double sensitivity : coefficient_sensitivities(start)) {
    const double scale = std::exp2(std::round(-std::log2(sensitivity) * kTowards0));
    scales.push_back(scale >= kLeast ? std::min(scale, kMost) : kLeast);  // also of NaN, at a pole
  }
  return scales;
}

}  // namespace pade
