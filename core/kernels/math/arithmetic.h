#pragma once

#include <cstdint>
#include <type_traits>
#include <variant>

#include <pade/core/kernels/math/host_device.h>

/// The functions of arithmetic.h for one pair of elements. Each has value(a, b), and the gradients
/// of a and b from that of the result, dy. kForA and kForB say what these are computed from.
namespace pade::arithmetic {

/// For sums and products: int32 wraps around instead of being undefined.
template <class T>
using Wrapping = std::conditional_t<std::is_integral_v<T>, uint32_t, T>;

struct Uses {
  bool a, b;
  bool is_dy = false;  // nothing to compute
};

struct Add {
  static constexpr Uses kForA{false, false, true}, kForB{false, false, true};
  template <class T>
  PADE_HD T value(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) + Wrapping<T>(b));
  }
  PADE_HD auto gradient_a(auto dy, auto, auto) const { return dy; }
  PADE_HD auto gradient_b(auto dy, auto, auto) const { return dy; }
};

struct Sub {
  static constexpr Uses kForA{false, false, true}, kForB{false, false};
  template <class T>
  PADE_HD T value(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) - Wrapping<T>(b));
  }
  PADE_HD auto gradient_a(auto dy, auto, auto) const { return dy; }
  PADE_HD auto gradient_b(auto dy, auto, auto) const { return -dy; }
};

struct Mul {
  static constexpr Uses kForA{false, true}, kForB{true, false};
  template <class T>
  PADE_HD T value(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) * Wrapping<T>(b));
  }
  PADE_HD auto gradient_a(auto dy, auto, auto b) const { return dy * b; }
  PADE_HD auto gradient_b(auto dy, auto a, auto) const { return dy * a; }
};

struct Div {
  static constexpr Uses kForA{false, true}, kForB{true, true};
  template <class T>
  PADE_HD T value(T a, T b) const {
    return a / b;
  }
  PADE_HD auto gradient_a(auto dy, auto, auto b) const { return dy / b; }
  /// b² would overflow long before.
  PADE_HD auto gradient_b(auto dy, auto a, auto b) const { return -dy * (a / b) / b; }
};

/// The larger one, or the smaller. A NaN wins, and the whole gradient is that of what was picked.
template <bool kLarger>
struct Extreme {
  static constexpr Uses kForA{true, true}, kForB{true, true};
  PADE_HD bool picks_a(auto a, auto b) const { return (kLarger ? a >= b : a <= b) || a != a; }
  PADE_HD auto value(auto a, auto b) const { return picks_a(a, b) ? a : b; }
  template <class T>
  PADE_HD T gradient_a(T dy, T a, T b) const {
    return picks_a(a, b) ? dy : T(0);
  }
  template <class T>
  PADE_HD T gradient_b(T dy, T a, T b) const {
    return picks_a(a, b) ? T(0) : dy;
  }
};
using Minimum = Extreme<false>;
using Maximum = Extreme<true>;

using Function = std::variant<Add, Sub, Mul, Div, Minimum, Maximum>;

}  // namespace pade::arithmetic
