#pragma once

#include <cmath>

#include <pade/core/kernels/math/host_device.h>
#include <pade/core/rational_form.h>

/// The rational function at any finite x, in float64, for where the powers of x could overflow.
///
/// With s = max(1, |x|) and t = 1/s, g_k = e_k / sᵏ obeys
///   g_{k+1} = (sign · x t + shift_k t) g_k − drop_k t² g_{k−1}
/// and stays near 1; then G = s^{m−n} Σ c_i g_i t^{m−i} / (q_0 tⁿ + Σ d_j |g_j| t^{n−j}) with q_0 =
/// denominator_constant().
namespace pade::rational_math {

/// One group's function, with the degrees that it has and the coefficients where they lie: this is
/// rarely needed, and nothing is prepared for it. T is their type.
template <class T>
struct FarFunction {
  const MonicRecurrence& monic;
  RationalForm form;
  int m, n;
  const T *c, *d;

  PADE_HD int first() const { return first_denominator(form); }
  PADE_HD double numerator(int i) const { return c[i] * monic.scale[i]; }
  PADE_HD double denominator(int j) const {
    const double d_j = d[j - first()];
    return (form == RationalForm::termwise ? std::abs(d_j) : d_j) * monic.scale[j];
  }
};

/// g_k and h_k = e_k′ / s^{k−1} at one x, from k = 0 on.
struct FarPolynomials {
  double s, t, u;  // u = x/s
  double g = 1, h = 0, g_before = 0, h_before = 0;

  PADE_HD explicit FarPolynomials(double x)
      : s(std::abs(x) > 1 ? std::abs(x) : 1), t(1 / s), u(x * t) {}

  /// From k to k + 1.
  PADE_HD void advance(const MonicRecurrence& monic, int k) {
    const double factor = monic.sign * u + monic.shift[k] * t, drop = monic.drop[k] * t * t;
    const double g_next = factor * g - drop * g_before;
    const double h_next = monic.sign * g + factor * h - drop * h_before;
    g_before = g, h_before = h;
    g = g_next, h = h_next;
  }
  /// s to an integer power. Overflows and underflows only where the result does.
  PADE_HD double power(int exponent) const {
    const double factor = exponent > 0 ? s : t;
    double result = 1;
    PADE_ROLLED
    for (int left = exponent > 0 ? exponent : -exponent; left > 0; --left) result *= factor;
    return result;
  }
};

struct FarPoint {
  double value, slope;
  double inverse;  // sⁿ / Q
  bool flipped;    // whether the sum in Q is negative, where that form takes its magnitude
};

template <class T>
PADE_HD FarPoint far_point(const FarFunction<T>& f, double x) {
  FarPolynomials at(x);
  double p = f.numerator(0), dp = 0, dsum = 0, constant = denominator_constant(f.form);
  double sum = f.first() == 0 ? f.denominator(0) : 0;
  const int top = f.m > f.n ? f.m : f.n;
  PADE_ROLLED
  for (int k = 1; k <= top; ++k) {
    at.advance(f.monic, k - 1);
    if (k <= f.m) {
      const double c = f.numerator(k);
      p = p * at.t + c * at.g;
      dp = dp * at.t + c * at.h;
    }
    if (k <= f.n) {
      double d = f.denominator(k);
      if (f.form == RationalForm::termwise && at.g < 0) d = -d;
      sum = sum * at.t + d * at.g;
      dsum = dsum * at.t + d * at.h;
      constant *= at.t;
    }
  }
  FarPoint point;
  point.flipped = takes_magnitude_of_sum(f.form) && sum < 0;
  point.inverse = 1 / (constant + (point.flipped ? -sum : sum));
  const double ratio = p * point.inverse, dq = point.flipped ? -dsum : dsum;
  point.value = at.power(f.m - f.n) * ratio;
  point.slope = at.power(f.m - f.n - 1) * ((dp - ratio * dq) * point.inverse);
  return point;
}

/// Calls add(k, g) with all gradients at x: ∂G/∂c_k for k = 0 … m, then −∂G/∂d_j, but for sgn(d_j)
/// in the termwise form, for k = m + 1 + j − first.
template <class T, class F>
PADE_HD void far_gradients(const FarFunction<T>& f, double x, const FarPoint& point, F&& add) {
  FarPolynomials at(x);
  const int top = f.m > f.n ? f.m : f.n;
  PADE_ROLLED
  for (int k = 0; k <= top; ++k) {
    if (k > 0) at.advance(f.monic, k - 1);
    const double scaled = at.power(k - f.n) * (at.g * point.inverse);
    if (k <= f.m) add(k, scaled);
    if (k < f.first() || k > f.n) continue;
    const bool negative = f.form == RationalForm::termwise ? at.g < 0 : point.flipped;
    add(f.m + 1 + k - f.first(), (negative ? -scaled : scaled) * point.value);
  }
}

}  // namespace pade::rational_math
