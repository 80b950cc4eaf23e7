#include <algorithm>
#include <cmath>
#include <cstddef>

#include <pade/layers/study/coefficient_scale.h>

namespace pade {
namespace {

/// ∂f/∂θ at x up to its sign, for all θ.
std::vector<double> rational_gradient(const RationalFunction& f, double x) {
  const auto basis = evaluate_basis(f.options.basis, x);
  const double q = f.denominator(x), value = f(x);
  const auto first = static_cast<size_t>(first_denominator(f.options.form));
  std::vector<double> gradient;
  for (size_t i = 0; i < f.c.size(); ++i) gradient.push_back(basis[i] / q);
  for (size_t j = 0; j < f.d.size(); ++j) gradient.push_back(value * basis[first + j] / q);
  return gradient;
}

std::vector<double> formula_gradient(const ActivationFunction& f, double x) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient;
  for (size_t k = 0; k < f.values().size(); ++k) {
    const auto moved_by = [&](double step) {
      std::vector<double> values = f.values();
      values[k] += step;
      return f.with(values)(x);
    };
    gradient.push_back((moved_by(kStep) - moved_by(-kStep)) / (2 * kStep));
  }
  return gradient;
}

}  // namespace

std::vector<double> coefficient_sensitivities(const ActivationFunction& f) {
  constexpr double kEnd = 8, kStep = 1.0 / 32;  // the trapezoidal rule, as gradients have kinks
  std::vector<double> squares(f.values().size(), 0);
  double total = 0;
  for (double x = -kEnd; x <= kEnd; x += kStep) {
    const double weight = std::exp(-x * x / 2);
    const auto gradient =
        f.rational() ? rational_gradient(*f.rational(), x) : formula_gradient(f, x);
    for (size_t k = 0; k < squares.size(); ++k) squares[k] += weight * gradient[k] * gradient[k];
    total += weight;
  }
  for (double& square : squares) square = std::sqrt(square / total);
  return squares;
}

std::vector<double> step_scales(const ActivationFunction& start) {
  constexpr double kLeast = 0x1p-30, kMost = 64;
  std::vector<double> scales;
  for (const double sensitivity : coefficient_sensitivities(start)) {
    const double scale = std::exp2(std::round(-std::log2(sensitivity)));
    scales.push_back(scale >= kLeast ? std::min(scale, kMost) : kLeast);  // also of NaN, at a pole
  }
  return scales;
}

}  // namespace pade
