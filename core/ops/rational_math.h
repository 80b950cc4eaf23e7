#pragma once

#include <algorithm>
#include <cmath>

#include <pade/core/ops/rational.h>

/// The rational function at one x, for every kernel. T is the type of x: a scalar, or a vector of
/// lanes (GCC's vector extensions), for which the same expressions work lane by lane.
namespace pade::rational_math {

/// One group's function in the monic form of its basis: coefficients times the basis' scales.
template <class S>
struct Coefficients {
  S sign;
  S shift[kMaxDegree], drop[kMaxDegree];
  S numerator[kMaxDegree + 1];    // c_i scale_i, zero above m
  S denominator[kMaxDegree + 1];  // d_j scale_j, zero above n and at 0; |d_j| scale_j if termwise
  S limit;                        // |x| up to which the powers of x stay far from overflow
};

/// The magnitude below which |e_k(x)| of all degrees stays under `bound`: a power of two.
inline double ordinary_limit(const MonicRecurrence& monic, int degree, double bound) {
  auto largest = [&](double x) {
    double before = 0, current = 1;
    for (int k = 0; k < degree; ++k) {
      const double next =
          (x + std::abs(monic.shift[k])) * current + std::abs(monic.drop[k]) * before;
      before = current;
      current = std::max(next, current);
    }
    return current;
  };
  double limit = 1;
  while (limit < 0x1p40 && largest(2 * limit) <= bound) limit *= 2;
  return limit;
}

template <class T>
inline T magnitude(T value) {
  return value < 0 ? -value : value;
}

/// The function and its derivatives at an ordinary x, |x| <= limit. Degrees are compile-time upper
/// bounds: coefficients beyond the true degrees are zero. kShifted = false leaves out sign and
/// shift.
template <RationalForm kForm, bool kShifted, int kM, int kN>
struct Instance {
  static constexpr int kNumerator = kM, kDenominator = kN, kTop = std::max(kM, kN);

  /// e[1] … e[kTop], and where `de` is given their derivatives by sign · x.
  template <class S, class T>
  static inline __attribute__((always_inline)) void basis(const Coefficients<S>& k, T x, T* e,
                                                          T* de) {
    const T u = kShifted ? k.sign * x : x;
    e[0] = T{} + S(1);
    e[1] = kShifted ? u + k.shift[0] : u;
    if (de) de[1] = e[0];
#pragma GCC unroll 8
    for (int i = 1; i < kTop; ++i) {
      const T factor = kShifted ? u + k.shift[i] : u;
      e[i + 1] = i == 1 ? factor * e[1] - k.drop[1] : factor * e[i] - k.drop[i] * e[i - 1];
      if (!de) continue;
      de[i + 1] = i == 1 ? factor + e[1] : factor * de[i] + e[i] - k.drop[i] * de[i - 1];
    }
  }

  template <class S, class T>
  static inline __attribute__((always_inline)) T value(const Coefficients<S>& k, T x) {
    T e[kTop + 1];
    basis(k, x, e, static_cast<T*>(nullptr));
    T p = T{} + k.numerator[0];
#pragma GCC unroll 8
    for (int i = 1; i <= kM; ++i) p = p + k.numerator[i] * e[i];
    T q = T{};
#pragma GCC unroll 8
    for (int j = 1; j <= kN; ++j)
      q = q + k.denominator[j] * (kForm == RationalForm::termwise ? magnitude(e[j]) : e[j]);
    if constexpr (kForm == RationalForm::whole_sum) q = magnitude(q);
    return p / (q + S(1));
  }

  /// What backward needs at x.
  template <class T>
  struct Point {
    T value;         // G
    T slope;         // dG/dx
    T inverse;       // 1/Q
    T e[kTop + 1];   // ∂G/∂c_i = e_i / Q
    T of_q[kN + 1];  // ∂Q/∂d_j, but for sgn(d_j) in the termwise form
  };

  template <class S, class T>
  static inline __attribute__((always_inline)) Point<T> point(const Coefficients<S>& k, T x) {
    Point<T> at;
    T de[kTop + 1];
    basis(k, x, at.e, de);
    T p = T{} + k.numerator[0], dp = T{}, q = T{}, dq = T{};
#pragma GCC unroll 8
    for (int i = 1; i <= kM; ++i) {
      p = p + k.numerator[i] * at.e[i];
      dp = dp + k.numerator[i] * de[i];
    }
#pragma GCC unroll 8
    for (int j = 1; j <= kN; ++j) {
      const T d = T{} + k.denominator[j];
      at.of_q[j] = kForm == RationalForm::termwise ? magnitude(at.e[j]) : at.e[j];
      q = q + d * at.of_q[j];
      dq = dq + (kForm == RationalForm::termwise ? (at.e[j] < 0 ? -d : d) : d) * de[j];
    }
    if constexpr (kForm == RationalForm::whole_sum) {
      dq = q < 0 ? -dq : dq;
#pragma GCC unroll 8
      for (int j = 1; j <= kN; ++j) at.of_q[j] = q < 0 ? -at.of_q[j] : at.of_q[j];
      q = magnitude(q);
    }
    at.inverse = S(1) / (q + S(1));
    at.value = p * at.inverse;
    at.slope = (dp - at.value * dq) * at.inverse;
    if (kShifted) at.slope = k.sign * at.slope;
    return at;
  }
};

/// The same at any finite x, in float64, where the powers of x could overflow. With s = max(1, |x|)
/// and t = 1/s, g_k = e_k / sᵏ obeys g_{k+1} = (sign · x t + shift_k t) g_k − drop_k t² g_{k−1} and
/// stays near 1; then G = s^{m−n} Σ c_i g_i t^{m−i} / (tⁿ + Σ d_j |g_j| t^{n−j}).
struct FarPoint {
  double value, slope;
  double of_c[kMaxDegree + 1];  // ∂G/∂c_i
  double of_d[kMaxDegree + 1];  // −∂G/∂d_j, but for sgn(d_j) in the termwise form
};

inline FarPoint far_point(const Coefficients<double>& k, RationalForm form, int m, int n,
                          double x) {
  const double s = std::max(1.0, std::abs(x)), t = 1 / s;
  double g[kMaxDegree + 1], h[kMaxDegree + 1];  // h_k = e_k′ / s^{k−1}
  g[0] = 1, h[0] = 0;
  for (int i = 0; i < std::max(m, n); ++i) {
    const double factor = (k.sign * x + k.shift[i]) * t, drop = k.drop[i] * t * t;
    g[i + 1] = factor * g[i] - (i > 0 ? drop * g[i - 1] : 0);
    h[i + 1] = k.sign * g[i] + factor * h[i] - (i > 0 ? drop * h[i - 1] : 0);
  }
  double p = k.numerator[0], dp = 0;
  for (int i = 1; i <= m; ++i) {
    p = p * t + k.numerator[i] * g[i];
    dp = dp * t + k.numerator[i] * h[i];
  }
  double sum = 0, dsum = 0, one = 1;
  for (int j = 1; j <= n; ++j) {
    const double d =
        form == RationalForm::termwise && g[j] < 0 ? -k.denominator[j] : k.denominator[j];
    sum = sum * t + d * g[j];
    dsum = dsum * t + d * h[j];
    one *= t;
  }
  const bool turned = form == RationalForm::whole_sum && sum < 0;
  const double q = one + (turned ? -sum : sum), dq = turned ? -dsum : dsum;
  FarPoint at{};
  at.value = std::pow(s, m - n) * (p / q);
  at.slope = std::pow(s, m - n - 1) * ((dp - p / q * dq) / q);
  for (int i = 0; i <= m; ++i) at.of_c[i] = std::pow(s, i - n) * (g[i] / q);
  for (int j = 1; j <= n; ++j) {
    const double of_q = form == RationalForm::termwise ? std::abs(g[j]) : turned ? -g[j] : g[j];
    at.of_d[j] = std::pow(s, j - n) * (of_q / q) * at.value;
  }
  return at;
}

}  // namespace pade::rational_math
