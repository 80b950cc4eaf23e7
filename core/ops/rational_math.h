#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <pade/core/host_device.h>
#include <pade/core/ops/rational.h>

/// The rational function at one x, for every kernel. T is the type of x: a scalar, or a vector of
/// lanes (GCC's vector extensions), for which the same expressions work lane by lane; S is the
/// scalar.
namespace pade::rational_math {

/// A basis in its monic form, in x's precision.
template <class S>
struct Polynomials {
  S sign;
  S shift[kMaxDegree], drop[kMaxDegree];
  S scale[kMaxDegree + 1];
  /// Of symmetric bases, with s = x²: e_2 = s − a_2, e_3 = x (s − a_3), e_4 = s (s − a_4) + b_4 and
  /// e_5 = x (s (s − a_5) + b_5).
  S a3, a4, b4, a5, b5;
  S limit;  // |x| up to which the powers of x stay far from overflow
};

/// `limit` is right for polynomials of degrees up to `degree`.
template <class S>
Polynomials<S> polynomials_of(const MonicRecurrence& monic, int degree) {
  // The magnitude below which |e_k(x)| of all degrees stays under the bound: a power of two.
  const double bound = sizeof(S) == sizeof(float) ? 1e16 : 1e100;
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

  Polynomials<S> polynomials{};
  polynomials.sign = static_cast<S>(monic.sign);
  polynomials.limit = static_cast<S>(limit);
  for (int k = 0; k < kMaxDegree; ++k) {
    polynomials.shift[k] = static_cast<S>(monic.shift[k]);
    polynomials.drop[k] = static_cast<S>(monic.drop[k]);
  }
  for (int k = 0; k <= kMaxDegree; ++k) polynomials.scale[k] = static_cast<S>(monic.scale[k]);
  const auto& drop = monic.drop;
  polynomials.a3 = static_cast<S>(drop[1] + drop[2]);
  polynomials.a4 = static_cast<S>(drop[1] + drop[2] + drop[3]);
  polynomials.b4 = static_cast<S>(drop[1] * drop[3]);
  polynomials.a5 = static_cast<S>(drop[1] + drop[2] + drop[3] + drop[4]);
  polynomials.b5 = static_cast<S>(drop[1] * drop[3] + drop[1] * drop[4] + drop[2] * drop[4]);
  return polynomials;
}

/// One group's function in the monic form of its basis: coefficients times the basis' scales.
template <class S>
struct Coefficients {
  Polynomials<S> basis;
  S numerator[kMaxDegree + 1];    // c_i scale_i, zero above m
  S denominator[kMaxDegree + 1];  // d_j scale_j, or |d_j| scale_j if termwise; zero without d_j
};

/// Lanes as integers of their size, to reach their signs: of a lane, all bits but its sign.
template <class T>
using LaneBits = decltype(T{} < T{});
template <class T>
inline constexpr auto kAllButSign =
    std::numeric_limits<std::decay_t<decltype(LaneBits<T>{}[0])>>::max();

template <class T>
PADE_HD T magnitude(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::abs(value);
  else
    return reinterpret_cast<T>(reinterpret_cast<LaneBits<T>>(value) & kAllButSign<T>);
}

/// `value` with the sign of `by`, where sgn(±0) = +1.
template <class T>
PADE_HD T turned(T value, T by) {
  if constexpr (std::is_floating_point_v<T>) {
    return by < 0 ? -value : value;
  } else {
    const T signed_by = by + 0;  // −0 becomes 0
    return reinterpret_cast<T>(reinterpret_cast<LaneBits<T>>(value) ^
                               (reinterpret_cast<LaneBits<T>>(signed_by) & ~kAllButSign<T>));
  }
}

/// p/q. GPUs do it by the reciprocal's approximation, which is right to a unit in the last place
/// for |q| < 2^126, and costs two instructions instead of ten.
template <class T>
PADE_HD T divide(T p, T q) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<T, float>) {
    float inverse;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(q));
    return p * inverse;
  }
#endif
  return p / q;
}

/// The function and its derivatives at an ordinary x, |x| <= limit. Degrees are compile-time upper
/// bounds: coefficients beyond the true degrees are zero. kShifted = false leaves out sign and
/// shift.
template <RationalForm kWhich, bool kShifted, int kM, int kN>
struct Instance {
  static constexpr RationalForm kForm = kWhich;
  static constexpr int kNumerator = kM, kDenominator = kN, kTop = std::max(kM, kN);
  /// d_first is the first of the denominator.
  static constexpr int kFirst = first_denominator(kForm);
  static constexpr bool kMagnitudeOfSum = takes_magnitude_of_sum(kForm);
  static constexpr double kConstant = denominator_constant(kForm);

  /// m <= kM and n <= kN are the true degrees, that c and d have.
  template <class S>
  static PADE_HD Coefficients<S> coefficients(const Polynomials<S>& basis, int m, int n, const S* c,
                                              const S* d) {
    Coefficients<S> k{};
    k.basis = basis;
    PADE_UNROLL
    for (int i = 0; i <= kM; ++i) k.numerator[i] = i <= m ? c[i] * basis.scale[i] : S(0);
    PADE_UNROLL
    for (int j = kFirst; j <= kN; ++j) {
      const S d_j = j <= n ? d[j - kFirst] : S(0);
      k.denominator[j] = (kForm == RationalForm::termwise ? std::abs(d_j) : d_j) * basis.scale[j];
    }
    return k;
  }

  /// e[1] … e[kTop], and where `de` is given their derivatives by sign · x.
  template <class S, class T>
  static PADE_HD void basis(const Polynomials<S>& k, T x, T* e, T* de) {
    e[0] = T{} + S(1);
    if (de) de[1] = e[0];
    const int known = kShifted ? begin_shifted(k, x, e) : begin_symmetric(k, x, e, de);
    const T u = kShifted ? k.sign * x : x;
    PADE_UNROLL
    for (int i = known; i < kTop; ++i) {
      const T factor = kShifted ? u + k.shift[i] : u;
      e[i + 1] = i == 1 ? factor * e[1] - k.drop[1] : factor * e[i] - k.drop[i] * e[i - 1];
      if (!de) continue;
      de[i + 1] = i == 1 ? factor + e[1] : factor * de[i] + e[i] - k.drop[i] * de[i - 1];
    }
  }

  template <class S, class T>
  static PADE_HD int begin_shifted(const Polynomials<S>& k, T x, T* e) {
    e[1] = k.sign * x + k.shift[0];
    return 1;
  }

  /// By even and odd polynomials, which take fewer operations than the recurrence; returns the
  /// degree of the last one.
  template <class S, class T>
  static PADE_HD int begin_symmetric(const Polynomials<S>& k, T x, T* e, T* de) {
    e[1] = x;
    if constexpr (kTop >= 2) {
      const T s = x * x;
      e[2] = s - k.drop[1];
      if (de) de[2] = x + x;
      if constexpr (kTop >= 3) {
        e[3] = x * (s - k.a3);
        if (de) de[3] = S(3) * s - k.a3;
      }
      if constexpr (kTop >= 4) {
        e[4] = s * (s - k.a4) + k.b4;
        if (de) de[4] = x * (S(4) * s - S(2) * k.a4);
      }
      if constexpr (kTop >= 5) {
        e[5] = x * (s * (s - k.a5) + k.b5);
        if (de) de[5] = s * (S(5) * s - S(3) * k.a5) + k.b5;
      }
    }
    return kTop < 5 ? kTop : 5;
  }

  /// d_0, or 0 in the forms that have none.
  template <class S, class T>
  static PADE_HD T start_of_sum(const Coefficients<S>& k, T zero) {
    if constexpr (kFirst == 0)
      return zero + k.denominator[0];
    else
      return zero;
  }

  template <class S, class T>
  static PADE_HD T value(const Coefficients<S>& k, T x) {
    T e[kTop + 1];
    basis(k.basis, x, e, static_cast<T*>(nullptr));
    T p = T{} + k.numerator[0];
    PADE_UNROLL
    for (int i = 1; i <= kM; ++i) p = p + k.numerator[i] * e[i];
    T q = start_of_sum(k, T{});
    PADE_UNROLL
    for (int j = 1; j <= kN; ++j)
      q = q + k.denominator[j] * (kForm == RationalForm::termwise ? magnitude(e[j]) : e[j]);
    if constexpr (kMagnitudeOfSum) q = magnitude(q);
    return divide(p, q + S(kConstant));
  }

  /// dy dG/dx. Adds to of_c[i] dy ∂G/∂c_i = dy e_i/Q, and to of_d[j] −dy ∂G/∂d_j, which is
  /// dy G/Q ∂Q/∂d_j, but for sgn(d_j) in the termwise form.
  template <class S, class T>
  static PADE_HD T differentiate(const Coefficients<S>& k, T x, T dy, T* of_c, T* of_d) {
    T e[kTop + 1], de[kTop + 1];
    basis(k.basis, x, e, de);
    T p = T{} + k.numerator[0], dp = T{}, q = start_of_sum(k, T{}), dq = T{};
    PADE_UNROLL
    for (int i = 1; i <= kM; ++i) {
      p = p + k.numerator[i] * e[i];
      dp = dp + k.numerator[i] * de[i];
    }
    T of_q[kN + 1];  // ∂Q/∂d_j, but for signs that all share
    PADE_UNROLL
    for (int j = 1; j <= kN; ++j) {
      const T d = T{} + k.denominator[j];
      of_q[j] = kForm == RationalForm::termwise ? magnitude(e[j]) : e[j];
      q = q + d * of_q[j];
      dq = dq + (kForm == RationalForm::termwise ? turned(d, e[j]) : d) * de[j];
    }
    const T sum = q;
    if constexpr (kMagnitudeOfSum) {
      dq = turned(dq, sum);
      q = magnitude(sum);
    }
    const T inverse = divide(T{} + S(1), q + S(kConstant));
    const T g = p * inverse, weight = dy * inverse, slope = (dp - g * dq) * weight;
    of_c[0] = of_c[0] + weight;
    PADE_UNROLL
    for (int i = 1; i <= kM; ++i) of_c[i] = of_c[i] + weight * e[i];
    T of_sum = weight * g;
    if constexpr (kMagnitudeOfSum) of_sum = turned(of_sum, sum);
    if constexpr (kFirst == 0) of_d[0] = of_d[0] + of_sum;
    PADE_UNROLL
    for (int j = 1; j <= kN; ++j) of_d[j] = of_d[j] + of_sum * of_q[j];
    return kShifted ? k.basis.sign * slope : slope;
  }
};

/// Calls f with the smallest instance that the degrees fit in.
template <RationalForm kForm, bool kShifted, class F>
void with_degrees(int m, int n, F&& f) {
  if (m <= 3 && n <= 2) return f(Instance<kForm, kShifted, 3, 2>{});
  if (m <= 5 && n <= 4) return f(Instance<kForm, kShifted, 5, 4>{});
  return f(Instance<kForm, kShifted, kMaxDegree, kMaxDegree>{});
}

/// Calls f(form, shifted) with both as compile-time constants.
template <class F>
void with_form(RationalOptions options, F&& f) {
  auto with_shifted = [&](auto form) {
    if (monic_recurrence_of(options.basis).is_symmetric())
      f(form, std::false_type{});
    else
      f(form, std::true_type{});
  };
  using Form = RationalForm;
  switch (options.form) {
    case Form::termwise: return with_shifted(std::integral_constant<Form, Form::termwise>{});
    case Form::whole_sum: return with_shifted(std::integral_constant<Form, Form::whole_sum>{});
    case Form::full_sum: return with_shifted(std::integral_constant<Form, Form::full_sum>{});
    case Form::unsafe: return with_shifted(std::integral_constant<Form, Form::unsafe>{});
  }
}

}  // namespace pade::rational_math
