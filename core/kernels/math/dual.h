#pragma once

#include <cmath>
#include <type_traits>

#include <pade/core/kernels/math/host_device.h>

/// Forward-mode differentiation: a number with its derivatives by kCount variables, exact to
/// rounding. A formula that is a template of its number type gives its value for float or double,
/// its derivatives for Dual<T, n>, and second derivatives for duals of duals. T may also be lanes
/// of numbers (core/kernels/cpu/simd_math.h), for which there is choose() in the place of ?:.
///
///   Dual<double, 1> x{2.0, 0};        // the variable number 0, at 2
///   Dual<double, 1> y = x * exp(x);   // y.value, y.slopes[0]
namespace pade::formulas {

// What formulas are written with; Dual has the same functions.

using std::cos;
using std::erf;
using std::erfc;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::pow;
using std::sin;
using std::sqrt;
using std::tanh;

/// condition ? a : b, where a comparison of lanes of numbers is a mask. Both are evaluated.
template <class V>
PADE_HD V choose(bool condition, const V& a, const V& b) {
  return condition ? a : b;
}
template <class V>
PADE_HD V magnitude(V x) {
  return choose(x < V(0), -x, x);
}
template <class V>
PADE_HD V smaller(V a, V b) {
  return choose(b < a, b, a);
}
/// 1 / (1 + e⁻ˣ), without overflow.
template <class V>
PADE_HD V sigmoid(V x) {
  const V e = exp(-magnitude(x));
  return choose(x < V(0), e, V(1)) / (V(1) + e);
}
/// ln(1 + eˣ), without overflow.
template <class V>
PADE_HD V softplus(V x) {
  return choose(x < V(0), V(0), x) + log1p(exp(-magnitude(x)));
}
/// erf′(x) = 2/√π e^(−x²).
template <class V>
PADE_HD V slope_of_erf(const V& x) {
  return V(1.1283791670955126) * exp(-(x * x));
}

/// T may be a dual itself. Comparisons look at values: at a kink the derivative is that of the
/// branch taken. Arithmetic copies no dual: compilers move copies of duals of lanes through memory,
/// in halves.
template <class T, int kCount>
struct Dual {
  T value;
  T slopes[kCount] = {};

  Dual() = default;
  /// A constant.
  template <class Scalar, class = std::enable_if_t<std::is_arithmetic_v<Scalar>>>
  PADE_HD explicit Dual(Scalar constant) : value(static_cast<T>(constant)) {}
  /// The variable of this number.
  PADE_HD Dual(T at, int variable) : value(at) { slopes[variable] = T(1); }

  /// Slope number k is slope(k).
  template <class F>
  static PADE_HD Dual of(T value, F slope) {
    Dual result;
    result.value = value;
    PADE_UNROLL
    for (int k = 0; k < kCount; ++k) result.slopes[k] = slope(k);
    return result;
  }
  /// A function of this, given its value and derivative here.
  PADE_HD Dual chain(T function, T derivative) const {
    return of(function, [&](int k) { return derivative * slopes[k]; });
  }

  friend PADE_HD Dual operator-(const Dual& a) { return a.chain(-a.value, T(-1)); }
  friend PADE_HD Dual operator+(const Dual& a, const Dual& b) {
    return of(a.value + b.value, [&](int k) { return a.slopes[k] + b.slopes[k]; });
  }
  friend PADE_HD Dual operator-(const Dual& a, const Dual& b) {
    return of(a.value - b.value, [&](int k) { return a.slopes[k] - b.slopes[k]; });
  }
  friend PADE_HD Dual operator*(const Dual& a, const Dual& b) {
    return of(a.value * b.value,
              [&](int k) { return a.slopes[k] * b.value + a.value * b.slopes[k]; });
  }
  friend PADE_HD Dual operator/(const Dual& a, const Dual& b) {
    const T q = a.value / b.value;
    if constexpr (kCount == 1)
      return of(q, [&](int k) { return (a.slopes[k] - q * b.slopes[k]) / b.value; });
    const T inverse = T(1) / b.value;  // one division for all slopes
    return of(q, [&](int k) { return (a.slopes[k] - q * b.slopes[k]) * inverse; });
  }

  friend PADE_HD auto operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend PADE_HD auto operator>(const Dual& a, const Dual& b) { return b.value < a.value; }
  template <class Mask, class = std::enable_if_t<!std::is_same_v<Mask, bool>>>
  friend PADE_HD Dual choose(const Mask& mask, const Dual& a, const Dual& b) {
    return of(choose(mask, a.value, b.value),
              [&](int k) { return choose(mask, a.slopes[k], b.slopes[k]); });
  }

  friend PADE_HD Dual exp(const Dual& x) {
    const T y = exp(x.value);
    return x.chain(y, y);
  }
  friend PADE_HD Dual expm1(const Dual& x) { return x.chain(expm1(x.value), exp(x.value)); }
  friend PADE_HD Dual log(const Dual& x) { return x.chain(log(x.value), T(1) / x.value); }
  friend PADE_HD Dual log1p(const Dual& x) {
    return x.chain(log1p(x.value), T(1) / (T(1) + x.value));
  }
  friend PADE_HD Dual sqrt(const Dual& x) {
    const T y = sqrt(x.value);
    return x.chain(y, T(0.5) / y);
  }
  friend PADE_HD Dual tanh(const Dual& x) {
    const T e = exp(T(-2) * magnitude(x.value)), inverse = T(1) / (T(1) + e);
    return x.chain(tanh(x.value), T(4) * e * inverse * inverse);  // 1 - y² would cancel
  }
  friend PADE_HD Dual sin(const Dual& x) { return x.chain(sin(x.value), cos(x.value)); }
  friend PADE_HD Dual cos(const Dual& x) { return x.chain(cos(x.value), -sin(x.value)); }
  friend PADE_HD Dual erf(const Dual& x) { return x.chain(erf(x.value), slope_of_erf(x.value)); }
  friend PADE_HD Dual erfc(const Dual& x) { return x.chain(erfc(x.value), -slope_of_erf(x.value)); }
  /// The exponent is a constant: no derivative goes through it.
  friend PADE_HD Dual pow(const Dual& x, const Dual& exponent) {
    const T n = exponent.value, slope = n * pow(x.value, n - T(1));
    return x.chain(pow(x.value, n), choose(magnitude(n) > T(0), slope, T(0)));
  }
  friend PADE_HD Dual sigmoid(const Dual& x) {
    const T e = exp(-magnitude(x.value)), inverse = T(1) / (T(1) + e);
    return x.chain(choose(x.value < T(0), e, T(1)) * inverse, e * inverse * inverse);
  }
  friend PADE_HD Dual softplus(const Dual& x) {
    return x.chain(softplus(x.value), sigmoid(x.value));
  }
};

}  // namespace pade::formulas
