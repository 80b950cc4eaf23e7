#pragma once

#include <cmath>
#include <variant>

#include <pade/core/kernels/math/host_device.h>

/// The functions of unary.h for one element. Each has value(x), and slope(saved): the derivative,
/// from the input x or, where kSavesOutput, from the result y.
namespace pade::unary {

struct Exp {
  static constexpr bool kSavesOutput = true;
  template <class T>
  PADE_HD T value(T x) const {
    return std::exp(x);
  }
  template <class T>
  PADE_HD T slope(T y) const {
    return y;
  }
};

struct Log {
  static constexpr bool kSavesOutput = false;
  template <class T>
  PADE_HD T value(T x) const {
    return std::log(x);
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return 1 / x;
  }
};

struct Sqrt {
  static constexpr bool kSavesOutput = true;
  template <class T>
  PADE_HD T value(T x) const {
    return std::sqrt(x);
  }
  template <class T>
  PADE_HD T slope(T y) const {
    return T(0.5) / std::abs(y);  // of −0 too
  }
};

struct Abs {
  static constexpr bool kSavesOutput = false;
  template <class T>
  PADE_HD T value(T x) const {
    return std::abs(x);
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return T(x > 0) - T(x < 0);
  }
};

struct Power {
  static constexpr bool kSavesOutput = false;
  double exponent;
  template <class T>
  PADE_HD T value(T x) const {
    return std::pow(x, T(exponent));
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return exponent == 0 ? T(0) : T(exponent) * std::pow(x, T(exponent - 1));
  }
};

struct Sin {
  static constexpr bool kSavesOutput = false;
  template <class T>
  PADE_HD T value(T x) const {
    return std::sin(x);
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return std::cos(x);
  }
};

struct Cos {
  static constexpr bool kSavesOutput = false;
  template <class T>
  PADE_HD T value(T x) const {
    return std::cos(x);
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return -std::sin(x);
  }
};

struct Tanh {
  static constexpr bool kSavesOutput = true;
  template <class T>
  PADE_HD T value(T x) const {
    return std::tanh(x);
  }
  template <class T>
  PADE_HD T slope(T y) const {
    return 1 - y * y;
  }
};

struct Sigmoid {
  static constexpr bool kSavesOutput = true;
  template <class T>
  PADE_HD T value(T x) const {
    const T e = std::exp(-std::abs(x));  // never above 1
    return (x < 0 ? e : T(1)) / (1 + e);
  }
  template <class T>
  PADE_HD T slope(T y) const {
    return y * (1 - y);
  }
};

struct Clamp {
  static constexpr bool kSavesOutput = false;
  double low, high;
  template <class T>
  PADE_HD T value(T x) const {
    return x < T(low) ? T(low) : x > T(high) ? T(high) : x;
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return ((x >= T(low)) & (x <= T(high))) ? T(1) : T(0);  // without branches
  }
};

struct Relu {
  static constexpr bool kSavesOutput = true;
  template <class T>
  PADE_HD T value(T x) const {
    return x < 0 ? T(0) : x;
  }
  template <class T>
  PADE_HD T slope(T y) const {
    return T(y > 0);
  }
};

struct LeakyRelu {
  static constexpr bool kSavesOutput = false;
  double negative_slope;
  template <class T>
  PADE_HD T value(T x) const {
    return x > 0 ? x : T(negative_slope) * x;
  }
  template <class T>
  PADE_HD T slope(T x) const {
    return x > 0 ? T(1) : T(negative_slope);
  }
};

using Function =
    std::variant<Exp, Log, Sqrt, Abs, Power, Sin, Cos, Tanh, Sigmoid, Clamp, Relu, LeakyRelu>;

}  // namespace pade::unary
