#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <pade/core/kernels/math/host_device.h>
#include <pade/core/rational_form.h>

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

  const auto& drop = monic.drop;
  Polynomials<S> polynomials{};
  polynomials.sign = static_cast<S>(monic.sign);
  polynomials.limit = static_cast<S>(limit);
  std::copy(monic.shift.begin(), monic.shift.end(), polynomials.shift);
  std::copy(drop.begin(), drop.end(), polynomials.drop);
  std::copy(monic.scale.begin(), monic.scale.end(), polynomials.scale);
  polynomials.a3 = static_cast<S>(drop[1] + drop[2]);
  polynomials.a4 = static_cast<S>(drop[1] + drop[2] + drop[3]);
  polynomials.b4 = static_cast<S>(drop[1] * drop[3]);
  polynomials.a5 = static_cast<S>(drop[1] + drop[2] + drop[3] + drop[4]);
  polynomials.b5 = static_cast<S>(drop[1] * drop[3] + drop[1] * drop[4] + drop[2] * drop[4]);
  return polynomials;
}

/// A polynomial of a symmetric basis, Σ c_i e_i, and its derivative by powers of x, which take the
/// fewest operations.
constexpr int kMostPowers = 5;
template <class S>
struct Powers {
  S value[kMostPowers + 1], slope[kMostPowers];
};

template <class S>
PADE_HD Powers<S> powers_of(const Polynomials<S>& basis, const S* c) {
  Powers<S> powers{
      {c[0] - basis.drop[1] * c[2] + basis.b4 * c[4], c[1] - basis.a3 * c[3] + basis.b5 * c[5],
       c[2] - basis.a4 * c[4], c[3] - basis.a5 * c[5], c[4], c[5]},
      {}};
  for (int i = 0; i < kMostPowers; ++i) powers.slope[i] = S(i + 1) * powers.value[i + 1];
  return powers;
}

/// Σ c_i x^i up to kDegree, with s = x².
template <int kDegree, class S, class T>
PADE_HD T sum_of_powers(const S* c, T x, T s) {
  constexpr int kOdd = kDegree - (kDegree + 1) % 2, kEven = kDegree - kDegree % 2;
  T even = T{} + c[kEven], odd = T{} + c[kOdd];
  PADE_UNROLL
  for (int i = kEven - 2; i >= 0; i -= 2) even = even * s + c[i];
  PADE_UNROLL
  for (int i = kOdd - 2; i >= 1; i -= 2) odd = odd * s + c[i];
  return odd * x + even;
}

/// One group's function in the monic form of its basis: coefficients times the basis' scales.
template <class S>
struct Coefficients {
  Polynomials<S> basis;
  S numerator[kMaxDegree + 1];    // c_i scale_i, zero above m
  S denominator[kMaxDegree + 1];  // d_j scale_j, or |d_j| scale_j if termwise; zero without d_j
  Powers<S> numerator_powers, denominator_powers;  // where kByPowers
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
PADE_HD T flipped(T value, T by) {
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
  static constexpr bool kTermwise = kForm == RationalForm::termwise;
  static constexpr bool kByPowers = !kShifted && kTop <= kMostPowers;

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
      k.denominator[j] = (kTermwise ? std::abs(d_j) : d_j) * basis.scale[j];
    }
    if constexpr (kByPowers) {
      k.numerator_powers = powers_of(basis, k.numerator);
      k.denominator_powers = powers_of(basis, k.denominator);
    }
    return k;
  }

  /// e[0] … e[kDegree], and where `de` is given their derivatives by sign · x from de[1] on.
  template <int kDegree, class S, class T>
  static PADE_HD void basis(const Polynomials<S>& k, T x, T* e, T* de) {
    e[0] = T{} + S(1);
    if (de) de[1] = e[0];
    const T u = kShifted ? k.sign * x : x;
    e[1] = kShifted ? u + k.shift[0] : x;
    const int known = kShifted ? 1 : begin_symmetric<kDegree>(k, x, e, de);
    PADE_UNROLL
    for (int i = known; i < kDegree; ++i) {
      const T factor = kShifted ? u + k.shift[i] : u;
      e[i + 1] = i == 1 ? factor * e[1] - k.drop[1] : factor * e[i] - k.drop[i] * e[i - 1];
      if (!de) continue;
      de[i + 1] = i == 1 ? factor + e[1] : factor * de[i] + e[i] - k.drop[i] * de[i - 1];
    }
  }

  /// By even and odd polynomials, which take fewer operations than the recurrence; returns the
  /// degree of the last one.
  template <int kDegree, class S, class T>
  static PADE_HD int begin_symmetric(const Polynomials<S>& k, T x, T* e, T* de) {
    constexpr int kLast = std::min(kDegree, kMostPowers);
    const T s = x * x;
    if constexpr (kLast >= 2) e[2] = s - k.drop[1];
    if constexpr (kLast >= 3) e[3] = x * (s - k.a3);
    if constexpr (kLast >= 4) e[4] = s * (s - k.a4) + k.b4;
    if constexpr (kLast >= 5) e[5] = x * (s * (s - k.a5) + k.b5);
    if (!de) return kLast;
    PADE_UNROLL
    for (int j = 2; j <= kLast; ++j)
      de[j] = j % 2 ? symmetric_slope(k, j, s) : x * symmetric_slope(k, j, s);
    return kLast;
  }

  /// de_j by x, which of an even e_j is x times this; j from 1 to 5.
  template <class S, class T>
  static PADE_HD T symmetric_slope(const Polynomials<S>& k, int j, T s) {
    switch (j) {
      case 1: return T{} + S(1);
      case 2: return T{} + S(2);
      case 3: return S(3) * s - k.a3;
      case 4: return S(4) * s - S(2) * k.a4;
      default: return s * (S(5) * s - S(3) * k.a5) + k.b5;
    }
  }

  template <class S, class T>
  static PADE_HD T value(const Coefficients<S>& k, T x) {
    T p, q;
    if constexpr (kByPowers) {
      const T s = x * x;
      p = sum_of_powers<kM>(k.numerator_powers.value, x, s);
      if constexpr (!kTermwise) q = sum_of_powers<kN>(k.denominator_powers.value, x, s);
    }
    if constexpr (!kByPowers || kTermwise) {
      constexpr int kDegree = kByPowers ? kN : kTop;
      T e[kDegree + 1];
      basis<kDegree>(k.basis, x, e, static_cast<T*>(nullptr));
      if constexpr (!kByPowers) p = sum_of<kM>(k.numerator, e);
      T of_q[kN + 1];
      q = sum_of<kN>(k.denominator, in_sum(e, of_q));
    }
    if constexpr (kMagnitudeOfSum) q = magnitude(q);
    return divide(p, q + S(kConstant));
  }

  /// Σ c_i e_i; where d_0 is missing, it is zero.
  template <int kDegree, class S, class T>
  static PADE_HD T sum_of(const S* c, const T* e) {
    T sum = T{} + c[0];
    PADE_UNROLL
    for (int i = 1; i <= kDegree; ++i) sum = sum + c[i] * e[i];
    return sum;
  }

  /// What Q's sum is of: e_1 … e_n or, if termwise, their magnitudes, in of_q.
  template <class T>
  static PADE_HD const T* in_sum(const T* e, T* of_q) {
    PADE_UNROLL
    for (int j = 1; j <= kN; ++j) of_q[j] = kTermwise ? magnitude(e[j]) : e[j];
    return of_q;
  }

  /// dy dG/dx. Adds to of_c[i] dy ∂G/∂c_i = dy e_i/Q, and to of_d[j] −dy ∂G/∂d_j, which is
  /// dy G/Q ∂Q/∂d_j, but for sgn(d_j) in the termwise form.
  template <class S, class T>
  static PADE_HD T differentiate(const Coefficients<S>& k, T x, T dy, T* of_c, T* of_d) {
    T e[kTop + 1], of_q[kN + 1];  // ∂Q/∂d_j, but for signs that all share
    T p, dp, dq;
    if constexpr (kByPowers) {
      const T s = x * x;
      basis<kTop>(k.basis, x, e, static_cast<T*>(nullptr));
      p = sum_of_powers<kM>(k.numerator_powers.value, x, s);
      dp = sum_of_powers<kM - 1>(k.numerator_powers.slope, x, s);
      dq = kTermwise ? termwise_slope(k, x, s, e)
                     : sum_of_powers<kN - 1>(k.denominator_powers.slope, x, s);
    } else {
      T de[kTop + 1];
      basis<kTop>(k.basis, x, e, de);
      p = sum_of<kM>(k.numerator, e);
      dp = dq = T{};
      PADE_UNROLL
      for (int i = 1; i <= kM; ++i) dp = dp + k.numerator[i] * de[i];
      PADE_UNROLL
      for (int j = 1; j <= kN; ++j) dq = dq + signed_denominator(k, j, e) * de[j];
    }
    const T sum = sum_of<kN>(k.denominator, in_sum(e, of_q));
    T q = sum;
    if constexpr (kMagnitudeOfSum) {
      dq = flipped(dq, sum);
      q = magnitude(sum);
    }
    const T inverse = divide(T{} + S(1), q + S(kConstant));
    const T g = p * inverse, weight = dy * inverse, slope = (dp - g * dq) * weight;
    of_c[0] = of_c[0] + weight;
    PADE_UNROLL
    for (int i = 1; i <= kM; ++i) of_c[i] = of_c[i] + weight * e[i];
    T of_sum = weight * g;
    if constexpr (kMagnitudeOfSum) of_sum = flipped(of_sum, sum);
    if constexpr (kFirst == 0) of_d[0] = of_d[0] + of_sum;
    PADE_UNROLL
    for (int j = 1; j <= kN; ++j) of_d[j] = of_d[j] + of_sum * of_q[j];
    return kShifted ? k.basis.sign * slope : slope;
  }

 private:
  /// |d_j| sgn(e_j) if termwise, which ∂Q/∂x has for d_j.
  template <class S, class T>
  static PADE_HD T signed_denominator(const Coefficients<S>& k, int j, const T* e) {
    const T d = T{} + k.denominator[j];
    return kTermwise ? flipped(d, e[j]) : d;
  }

  /// Σ |d_j| sgn(e_j) de_j by even and odd ones.
  template <class S, class T>
  static PADE_HD T termwise_slope(const Coefficients<S>& k, T x, T s, const T* e) {
    T of_odd = signed_denominator(k, 1, e), of_even = T{};
    if constexpr (kN >= 2) of_even = signed_denominator(k, 2, e) + signed_denominator(k, 2, e);
    PADE_UNROLL
    for (int j = 3; j <= kN; ++j) {
      const T term = signed_denominator(k, j, e) * symmetric_slope(k.basis, j, s);
      (j % 2 ? of_odd : of_even) = (j % 2 ? of_odd : of_even) + term;
    }
    return of_even * x + of_odd;
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
