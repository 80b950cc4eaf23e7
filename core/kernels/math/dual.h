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
///
/// Comparisons look at values: at a kink the derivative is that of the branch taken.
///
/// Arithmetic copies no dual: compilers move copies of duals of lanes through memory, in halves.
namespace pade {

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

  /// A function of this, given its value and derivative here.
  PADE_HD Dual chain(T function, T derivative) const {
    Dual result;
    result.value = function;
    PADE_UNROLL
    for (int k = 0; k < kCount; ++k) result.slopes[k] = derivative * slopes[k];
    return result;
  }
};

template <class T, int kCount>
PADE_HD Dual<T, kCount> operator-(const Dual<T, kCount>& a) {
  return a.chain(-a.value, T(-1));
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> operator+(const Dual<T, kCount>& a, const Dual<T, kCount>& b) {
  Dual<T, kCount> sum;
  sum.value = a.value + b.value;
  PADE_UNROLL
  for (int k = 0; k < kCount; ++k) sum.slopes[k] = a.slopes[k] + b.slopes[k];
  return sum;
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> operator-(const Dual<T, kCount>& a, const Dual<T, kCount>& b) {
  Dual<T, kCount> difference;
  difference.value = a.value - b.value;
  PADE_UNROLL
  for (int k = 0; k < kCount; ++k) difference.slopes[k] = a.slopes[k] - b.slopes[k];
  return difference;
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> operator*(const Dual<T, kCount>& a, const Dual<T, kCount>& b) {
  Dual<T, kCount> product;
  product.value = a.value * b.value;
  PADE_UNROLL
  for (int k = 0; k < kCount; ++k)
    product.slopes[k] = a.slopes[k] * b.value + a.value * b.slopes[k];
  return product;
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> operator/(const Dual<T, kCount>& a, const Dual<T, kCount>& b) {
  Dual<T, kCount> quotient;
  quotient.value = a.value / b.value;
  if constexpr (kCount == 1) {
    quotient.slopes[0] = (a.slopes[0] - quotient.value * b.slopes[0]) / b.value;
  } else {  // one division for all slopes
    const T inverse = T(1) / b.value;
    PADE_UNROLL
    for (int k = 0; k < kCount; ++k)
      quotient.slopes[k] = (a.slopes[k] - quotient.value * b.slopes[k]) * inverse;
  }
  return quotient;
}

template <class T, int kCount>
PADE_HD auto operator<(const Dual<T, kCount>& a, const Dual<T, kCount>& b) {
  return a.value < b.value;
}
template <class T, int kCount>
PADE_HD auto operator>(const Dual<T, kCount>& a, const Dual<T, kCount>& b) {
  return b < a;
}

/// condition ? a : b, where a comparison of lanes of numbers is a mask. Both are evaluated.
template <class V>
PADE_HD V choose(bool condition, const V& a, const V& b) {
  return condition ? a : b;
}
template <class Mask, class T, int kCount, class = std::enable_if_t<!std::is_same_v<Mask, bool>>>
PADE_HD Dual<T, kCount> choose(const Mask& mask, const Dual<T, kCount>& a,
                               const Dual<T, kCount>& b) {
  Dual<T, kCount> chosen;
  chosen.value = choose(mask, a.value, b.value);
  PADE_UNROLL
  for (int k = 0; k < kCount; ++k) chosen.slopes[k] = choose(mask, a.slopes[k], b.slopes[k]);
  return chosen;
}

/// What formulas are written with, for scalars and duals. `using namespace pade::functions` within
/// a function makes them known there.
namespace functions {

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

}  // namespace functions

// The same for duals, by the chain rule. T may be a dual itself.

template <class T, int kCount>
PADE_HD Dual<T, kCount> exp(const Dual<T, kCount>& x) {
  using namespace functions;
  const T y = exp(x.value);
  return x.chain(y, y);
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> expm1(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(expm1(x.value), exp(x.value));
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> log(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(log(x.value), T(1) / x.value);
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> log1p(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(log1p(x.value), T(1) / (T(1) + x.value));
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> sqrt(const Dual<T, kCount>& x) {
  using namespace functions;
  const T y = sqrt(x.value);
  return x.chain(y, T(0.5) / y);
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> tanh(const Dual<T, kCount>& x) {
  using namespace functions;
  const T e = exp(T(-2) * magnitude(x.value)), inverse = T(1) / (T(1) + e);
  return x.chain(tanh(x.value), T(4) * e * inverse * inverse);  // 1 - y² would cancel
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> sin(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(sin(x.value), cos(x.value));
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> cos(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(cos(x.value), -sin(x.value));
}
/// The exponent is a constant: no derivative goes through it.
template <class T, int kCount>
PADE_HD Dual<T, kCount> pow(const Dual<T, kCount>& x, const Dual<T, kCount>& exponent) {
  using namespace functions;
  const T n = exponent.value, slope = n * pow(x.value, n - T(1));
  return x.chain(pow(x.value, n), choose(magnitude(n) > T(0), slope, T(0)));
}
/// erf′(x) = 2/√π e^(−x²).
template <class T>
PADE_HD T slope_of_erf(const T& x) {
  using namespace functions;
  return T(1.1283791670955126) * exp(-(x * x));
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> erf(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(erf(x.value), slope_of_erf(x.value));
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> erfc(const Dual<T, kCount>& x) {
  using namespace functions;
  return x.chain(erfc(x.value), -slope_of_erf(x.value));
}

namespace functions {
template <class T, int kCount>
PADE_HD Dual<T, kCount> sigmoid(const Dual<T, kCount>& x) {
  const T e = exp(-magnitude(x.value)), inverse = T(1) / (T(1) + e);
  return x.chain(choose(x.value < T(0), e, T(1)) * inverse, e * inverse * inverse);
}
template <class T, int kCount>
PADE_HD Dual<T, kCount> softplus(const Dual<T, kCount>& x) {
  return x.chain(softplus(x.value), sigmoid(x.value));
}
}  // namespace functions

}  // namespace pade
