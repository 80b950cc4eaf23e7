#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/kernels/math/host_device.h>

/// float32 lanes as a number type for formulas (core/kernels/math/formula.h): arithmetic,
/// comparisons that give a mask, and the functions of core/kernels/math/dual.h, to about two units
/// in the last place. The polynomials are minimax fits of our own, by relative error.
namespace pade::float_lanes {

typedef int32_t LaneBits __attribute__((vector_size(kLaneBytes)));

struct FloatLanes {
  Lanes<float> lanes;

  FloatLanes() = default;
  FloatLanes(const Lanes<float>& values) : lanes(values) {}
  /// The same number in every lane.
  template <class Scalar, class = std::enable_if_t<std::is_arithmetic_v<Scalar>>>
  explicit FloatLanes(Scalar value) : lanes(Lanes<float>{} + static_cast<float>(value)) {}
};

PADE_HD FloatLanes operator-(FloatLanes a) { return -a.lanes; }
PADE_HD FloatLanes operator+(FloatLanes a, FloatLanes b) { return a.lanes + b.lanes; }
PADE_HD FloatLanes operator-(FloatLanes a, FloatLanes b) { return a.lanes - b.lanes; }
PADE_HD FloatLanes operator*(FloatLanes a, FloatLanes b) { return a.lanes * b.lanes; }
PADE_HD FloatLanes operator/(FloatLanes a, FloatLanes b) { return a.lanes / b.lanes; }
PADE_HD LaneBits operator<(FloatLanes a, FloatLanes b) { return a.lanes < b.lanes; }
PADE_HD LaneBits operator>(FloatLanes a, FloatLanes b) { return a.lanes > b.lanes; }
PADE_HD FloatLanes choose(LaneBits mask, FloatLanes a, FloatLanes b) {
  return mask ? a.lanes : b.lanes;
}

PADE_HD LaneBits bits_of(FloatLanes x) { return reinterpret_cast<LaneBits>(x.lanes); }
PADE_HD FloatLanes from_bits(LaneBits bits) { return reinterpret_cast<Lanes<float>>(bits); }

/// c_0 + c_1 x + … + c_n xⁿ.
template <size_t kCount>
PADE_HD FloatLanes polynomial(const float (&c)[kCount], FloatLanes x) {
  FloatLanes sum(c[kCount - 1]);
#pragma GCC unroll 16
  for (size_t k = kCount - 1; k > 0; --k) sum = sum * x + FloatLanes(c[k - 1]);
  return sum;
}

PADE_HD FloatLanes absolute(FloatLanes x) { return from_bits(bits_of(x) & 0x7fffffff); }
/// A magnitude with the sign of another number.
PADE_HD FloatLanes with_sign(FloatLanes magnitude, FloatLanes sign) {
  return from_bits(bits_of(magnitude) | (bits_of(sign) & ~0x7fffffff));
}

constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // the first is short

/// x = n ln 2 + r with |r| <= ln 2 / 2, and eʳ = 1 + r + r² q(r).
PADE_HD FloatLanes exp(FloatLanes x) {
  x = choose(x > FloatLanes(89), FloatLanes(89), x);      // infinite from here
  x = choose(x < FloatLanes(-104), FloatLanes(-104), x);  // 0 from here
  const FloatLanes round(12582912.0f);  // 1.5 · 2²³: what is added to it becomes a whole number
  const FloatLanes n = (x * FloatLanes(1.44269504f) + round) - round;
  const FloatLanes r = x - n * FloatLanes(kLn2High) - n * FloatLanes(kLn2Low);
  constexpr float q[] = {0.499999935f, 0.166665207f, 0.0416683874f, 0.00836871004f, 0.0013814611f};
  const FloatLanes y = FloatLanes(1) + (r + r * r * polynomial(q, r));
  const LaneBits whole = __builtin_convertvector(n.lanes, LaneBits), half = whole >> 1;
  return y * from_bits((half + 127) << 23) * from_bits((whole - half + 127) << 23);
}

PADE_HD FloatLanes expm1(FloatLanes x) {
  constexpr float q[] = {0.166666634f, 0.041665871f, 0.00833370581f, 0.00139812254f,
                         0.000198059385f};
  const FloatLanes near = x + x * x * (FloatLanes(0.5f) + x * polynomial(q, x));
  return choose(absolute(x) < FloatLanes(0.5f), near, exp(x) - FloatLanes(1));
}

/// x = 2ᵉ (1 + f) with √½ <= 1 + f < √2, and ln(1 + f) = f − f²/2 + f³ q(f). Subnormal numbers,
/// whose exponent is not in their bits, are multiplied by 2²³ first; negative ones lose their sign.
PADE_HD FloatLanes log(FloatLanes x) {
  constexpr int32_t kRootOfHalf = 0x3f3504f3;
  const LaneBits is_tiny = x < FloatLanes(std::numeric_limits<float>::min());
  const LaneBits bits = bits_of(choose(is_tiny, absolute(x) * FloatLanes(0x1p23f), x));
  const LaneBits exponent = (bits - kRootOfHalf) >> 23;
  const FloatLanes f = from_bits(bits - (exponent << 23)) - FloatLanes(1);
  const FloatLanes e = __builtin_convertvector(exponent + (is_tiny & -23), Lanes<float>);
  constexpr float q[] = {0.333333126f,  -0.250000096f, 0.200021187f,  -0.166679957f, 0.142195509f,
                         -0.124055914f, 0.118881746f,  -0.116756413f, 0.0674660124f};
  const FloatLanes tail = f * f * f * polynomial(q, f) - FloatLanes(0.5f) * f * f;
  const FloatLanes y = e * FloatLanes(kLn2High) + (f + (tail + e * FloatLanes(kLn2Low)));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const FloatLanes beyond = choose(x < FloatLanes(0), FloatLanes(0) / FloatLanes(0),
                                   x - FloatLanes(kInfinity));  // NaN, −∞ or NaN
  return choose(x > FloatLanes(0), choose(x < FloatLanes(kInfinity), y, x), beyond);
}

/// By ln(u), u = 1 + x rounded, and what the rounding took: (x − (u − 1)) / u.
PADE_HD FloatLanes log1p(FloatLanes x) {
  const FloatLanes u = FloatLanes(1) + x, y = log(u);
  const LaneBits is_finite = absolute(y) < FloatLanes(std::numeric_limits<float>::infinity());
  return choose(is_finite, y + (x - (u - FloatLanes(1))) / u, y);
}

/// f of each lane on its own, for functions of the library that are called lane by lane.
template <class F, class... Vectors>
PADE_HD FloatLanes for_each_lane(F&& f, Vectors... x) {
  FloatLanes y;
  for (int lane = 0; lane < kLaneCount<float>; ++lane) y.lanes[lane] = f(x.lanes[lane]...);
  return y;
}

PADE_HD FloatLanes sqrt(FloatLanes x) {
  return for_each_lane([](float at) { return __builtin_sqrtf(at); }, x);
}
PADE_HD FloatLanes sin(FloatLanes x) {
  return for_each_lane([](float at) { return std::sin(at); }, x);
}
PADE_HD FloatLanes cos(FloatLanes x) {
  return for_each_lane([](float at) { return std::cos(at); }, x);
}
PADE_HD FloatLanes pow(FloatLanes x, FloatLanes exponent) {
  return for_each_lane([](float at, float n) { return std::pow(at, n); }, x, exponent);
}

PADE_HD FloatLanes tanh(FloatLanes x) {
  constexpr float q[] = {-0.333332819f, 0.133314422f, -0.0537397122f, 0.0206390787f,
                         -0.00570497836f};
  const FloatLanes a = absolute(x), square = x * x;
  const FloatLanes near = a + a * square * polynomial(q, square);
  const FloatLanes far = FloatLanes(1) - FloatLanes(2) / (exp(a + a) + FloatLanes(1));
  return with_sign(choose(a < FloatLanes(0.625f), near, far), x);
}

/// erf where |x| < 1.
PADE_HD FloatLanes erf_near(FloatLanes x) {
  constexpr float q[] = {1.12837917f,    -0.376126258f,    0.112835851f,   -0.0268538119f,
                         0.00518832756f, -0.000801019253f, 7.85385774e-05f};
  return x * polynomial(q, x * x);
}

/// erfc where a >= 1: e^(−a²) times a function of (a − 3) / (a + 3). The square is taken in two
/// parts, of which the first is exact.
PADE_HD FloatLanes erfc_far(FloatLanes a) {
  constexpr float q[] = {0.179001151f,     -0.326233564f,   0.245603795f,   -0.150115783f,
                         0.0716659127f,    -0.0243941845f,  0.00426863623f, 0.000715391766f,
                         -0.000594279577f, 2.95683152e-05f, 5.62144933e-05f};
  a = choose(a > FloatLanes(11), FloatLanes(11), a);  // 0 from here
  const FloatLanes high = from_bits(bits_of(a) & ~0xfff);
  const FloatLanes gauss = exp(-(high * high)) * exp(-((a - high) * (a + high)));
  return gauss * polynomial(q, (a - FloatLanes(3)) / (a + FloatLanes(3)));
}

PADE_HD FloatLanes erf(FloatLanes x) {
  const FloatLanes a = absolute(x);
  return choose(a < FloatLanes(1), erf_near(x), with_sign(FloatLanes(1) - erfc_far(a), x));
}

PADE_HD FloatLanes erfc(FloatLanes x) {
  const FloatLanes a = absolute(x), far = erfc_far(a);
  return choose(a < FloatLanes(1), FloatLanes(1) - erf_near(x),
                choose(x < FloatLanes(0), FloatLanes(2) - far, far));
}

}  // namespace pade::float_lanes

namespace pade {
using float_lanes::FloatLanes;
}
