#pragma once

#include <array>
#include <limits>
#include <tuple>

#include <pade/core/kernels/math/dual.h>

/// Functions of one element that a formula gives: activations, and what core/ops/elementwise.h has
/// besides. Each has its name, the formula in words, its constants, and value(x, constants): the
/// formula for any number type, float, double or a Dual of them, from which
/// core/kernels/math/dual.h has the derivatives. A new activation is a struct here and its name in
/// the list Activations below them.
///
/// Where the derivative is as exact and cheaper from the result, there is slope_from_value(y): an
/// op then saves y, which the next op saves too, and not x.
///
/// What is large is kept from overflow, so that no finite x gives a NaN. There is no ?: on numbers,
/// which may be lanes of several: choose() evaluates both and takes one. Where two branches meet
/// smoothly, magnitude(u), whose slope at 0 is 1, stands with the branch that is taken there.
namespace pade::formulas {

/// Constant of a formula: its name, where it starts, and whether it learns unless told otherwise.
struct Constant {
  const char* name;
  double start;
  bool learns;
};
template <size_t kCount>
using Constants = std::array<Constant, kCount>;

/// What a formula does not say itself.
struct Defaults {
  static constexpr Constants<0> kConstants{};
  static constexpr bool kIsFixed = false;  // whether its constants may not learn
  static constexpr bool kTakesInfinity = false;
};
/// What the formula gives at ±∞ is right by itself.
struct TakesInfinity : Defaults {
  static constexpr bool kTakesInfinity = true;
};

struct Identity : TakesInfinity {
  static constexpr const char *kName = "identity", *kText = "x";
  static PADE_HD auto value(auto x, const auto*) { return x; }
};

struct Relu : TakesInfinity {
  static constexpr const char *kName = "relu", *kText = "max(x, 0)";
  template <class V>
  static PADE_HD V value(V x, const V*) {
    return choose(x > V(0), x, choose(x < V(1), V(0), x));  // a NaN stays one
  }
  template <class V>
  static PADE_HD V slope_from_value(V y) {
    return choose(y > V(0), V(1), V(0));
  }
};

/// With slope 0.01 and not learned; learned it is PReLU, arXiv:1502.01852.
struct LeakyRelu : Defaults {
  static constexpr const char *kName = "leaky_relu", *kText = "x > 0 ? x : slope x";
  static constexpr Constants<1> kConstants{{{"slope", 0.01, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    return choose(x > V(0), x, c[0] * x);
  }
};

struct Prelu : LeakyRelu {
  static constexpr const char* kName = "prelu";
  static constexpr Constants<1> kConstants{{{"slope", 0.25, true}}};
};

struct Tanh : Defaults {
  static constexpr const char *kName = "tanh", *kText = "tanh(x)";
  static PADE_HD auto value(auto x, const auto*) { return tanh(x); }
};

struct Sigmoid : Defaults {
  static constexpr const char *kName = "sigmoid", *kText = "1 / (1 + exp(-x))";
  static PADE_HD auto value(auto x, const auto*) { return sigmoid(x); }
};

/// arXiv:1511.07289.
struct Elu : Defaults {
  static constexpr const char *kName = "elu", *kText = "x > 0 ? x : alpha (exp(x) - 1)";
  static constexpr Constants<1> kConstants{{{"alpha", 1, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    return choose(x > V(0), x, c[0] * expm1(x));
  }
};

struct Softplus : Defaults {
  static constexpr const char *kName = "softplus", *kText = "ln(1 + exp(x))";
  static PADE_HD auto value(auto x, const auto*) { return softplus(x); }
};

/// arXiv:1710.05941.
struct Swish : Defaults {
  static constexpr const char *kName = "swish", *kText = "x sigmoid(beta x)";
  static constexpr Constants<1> kConstants{{{"beta", 1, false}}};
  static PADE_HD auto value(auto x, const auto* c) { return x * sigmoid(c[0] * x); }
};

/// arXiv:1905.02244.
struct HardSwish : Defaults {
  static constexpr const char *kName = "hard_swish", *kText = "x min(max(x + 3, 0), 6) / 6";
  template <class V>
  static PADE_HD V value(V x, const V*) {
    const V between = x * (x + V(3)) * V(1.0 / 6);
    return choose(x < V(-3), V(0), choose(x > V(3), x, between));
  }
};

/// x Φ(x), arXiv:1606.08415.
struct Gelu : Defaults {
  static constexpr const char *kName = "gelu", *kText = "x erfc(-x / sqrt(2)) / 2";
  template <class V>
  static PADE_HD V value(V x, const V*) {
    return V(0.5) * x * erfc(V(-0.70710678118654752) * x);
  }
};

/// Its approximation, from the same paper: (1 + tanh u) / 2 is sigmoid(2 u).
struct GeluTanh : Defaults {
  static constexpr const char *kName = "gelu_tanh",
                              *kText = "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2";
  template <class V>
  static PADE_HD V value(V x, const V*) {
    // Its limits to the last bit from 30 on, before the cube overflows.
    const V u = choose(magnitude(x) > V(30), x, x * (V(1) + V(0.044715) * x * x));
    return x * sigmoid(V(1.5957691216057308) * u);
  }
};

/// arXiv:1908.08681.
struct Mish : Defaults {
  static constexpr const char *kName = "mish", *kText = "x tanh(softplus(x))";
  static PADE_HD auto value(auto x, const auto*) { return x * tanh(softplus(x)); }
};

/// TanhSoft-1 to -3 of arXiv:2009.03863.
struct TanhSoft1 : Defaults {
  static constexpr const char *kName = "tanhsoft1", *kText = "tanh(alpha x) softplus(x)";
  static constexpr Constants<1> kConstants{{{"alpha", 0.87, false}}};
  static PADE_HD auto value(auto x, const auto* c) { return tanh(c[0] * x) * softplus(x); }
};

struct TanhSoft2 : Defaults {
  static constexpr const char *kName = "tanhsoft2", *kText = "x tanh(beta exp(gamma x))";
  static constexpr Constants<2> kConstants{{{"beta", 0.6, false}, {"gamma", 1, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    return x * tanh(c[0] * exp(smaller(c[1] * x, V(40))));
  }
};

struct TanhSoft3 : Defaults {
  static constexpr const char *kName = "tanhsoft3", *kText = "ln(1 + exp(x) tanh(alpha x))";
  static constexpr Constants<1> kConstants{{{"alpha", 0.85, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    const V t = tanh(c[0] * x);
    return choose(x > V(1), x + log(exp(-x) + t), log1p(exp(smaller(x, V(1))) * t));
  }
};

/// EIS-1 to -3 of arXiv:2009.13501.
struct Eis1 : Defaults {
  static constexpr const char *kName = "eis1", *kText = "x softplus(x) / (x + delta exp(-theta x))";
  static constexpr Constants<2> kConstants{{{"delta", 1.16, false}, {"theta", 1, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    const V u = c[1] * x, s = softplus(x), e = exp(-magnitude(u));
    const V below = x * e * s / (x * e + c[0]), near = x * s / (x + c[0] * e);
    return choose(u < V(0), below, choose(x > V(1), s / (V(1) + c[0] * e / x), near));
  }
};

struct Eis2 : Defaults {
  static constexpr const char *kName = "eis2", *kText = "x softplus(x) / sqrt(beta + gamma x^2)";
  static constexpr Constants<2> kConstants{{{"beta", 1, false}, {"gamma", 1, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    const V s = softplus(x);
    const V far = choose(x < V(0), -s, s) / sqrt(c[0] / x / x + c[1]);
    const V inside = choose(magnitude(x) > V(1), V(1), x);  // where the square cannot overflow
    return choose(magnitude(x) > V(1), far, x * s / sqrt(c[0] + c[1] * inside * inside));
  }
};

struct Eis3 : Defaults {
  static constexpr const char *kName = "eis3", *kText = "x / (1 + delta exp(-theta x))";
  static constexpr Constants<2> kConstants{{{"delta", 1, false}, {"theta", 1, false}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    const V u = c[1] * x, e = exp(-magnitude(u));
    return choose(u < V(0), x * e / (e + c[0]), x / (V(1) + c[0] * e));
  }
};

/// arXiv:2111.04682: a smooth maximum of x and αx; of erf here.
struct Smu : Defaults {
  static constexpr const char *kName = "smu",
                              *kText = "((1 + alpha) x + (1 - alpha) x erf(mu (1 - alpha) x)) / 2";
  static constexpr Constants<2> kConstants{{{"alpha", 0.25, false}, {"mu", 1, true}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    const V rest = V(1) - c[0];
    return V(0.5) * x * (V(1) + c[0] + rest * erf(c[1] * rest * x));
  }
};

/// ErfAct and Pserf, arXiv:2109.04386.
struct ErfAct : Defaults {
  static constexpr const char *kName = "erfact", *kText = "x erf(alpha exp(beta x))";
  static constexpr Constants<2> kConstants{{{"alpha", 0.75, true}, {"beta", 0.75, true}}};
  template <class V>
  static PADE_HD V value(V x, const V* c) {
    return x * erf(c[0] * exp(smaller(c[1] * x, V(40))));
  }
};

struct Pserf : Defaults {
  static constexpr const char *kName = "pserf", *kText = "x erf(gamma ln(1 + exp(delta x)))";
  static constexpr Constants<2> kConstants{{{"gamma", 1.25, true}, {"delta", 0.85, true}}};
  static PADE_HD auto value(auto x, const auto* c) { return x * erf(c[0] * softplus(c[1] * x)); }
};

/// The enhanced rational activation, without poles on the real line while f1 and f2 are not 0. It
/// starts as a least-squares fit of Swish on [-5, 5].
struct Era : Defaults {
  static constexpr const char *kName = "era", *kText =
                                                  "a x + b + (c1 x + d1) / ((x - e1)^2 + f1^2) + "
                                                  "(c2 x + d2) / ((x - e2)^2 + f2^2)";
  static constexpr Constants<10> kConstants{{{"a", 0.5, true},
                                             {"b", 4.70812, true},
                                             {"c1", 0, true},
                                             {"d1", -0.435246, true},
                                             {"e1", 0, true},
                                             {"f1", 1.43821, true},
                                             {"c2", 0, true},
                                             {"d2", -112.567, true},
                                             {"e2", 0, true},
                                             {"f2", 5, true}}};
  template <class V>
  static PADE_HD V term(V x, const V* c) {
    const V from = x - c[2];
    return (c[0] * x + c[1]) / (from * from + c[3] * c[3]);
  }
  static PADE_HD auto value(auto x, const auto* c) {
    return c[0] * x + c[1] + term(x, c + 2) + term(x, c + 6);
  }
};

// Functions that are not activations.

struct Exp : TakesInfinity {
  static constexpr const char *kName = "exp", *kText = "exp(x)";
  static PADE_HD auto value(auto x, const auto*) { return exp(x); }
  static PADE_HD auto slope_from_value(auto y) { return y; }
};

struct Log : TakesInfinity {
  static constexpr const char *kName = "log", *kText = "ln(x)";
  static PADE_HD auto value(auto x, const auto*) { return log(x); }
};

struct Sqrt : TakesInfinity {
  static constexpr const char *kName = "sqrt", *kText = "sqrt(x)";
  static PADE_HD auto value(auto x, const auto*) { return sqrt(x); }
  template <class V>
  static PADE_HD V slope_from_value(V y) {
    return V(0.5) / (y + V(0));  // of −0 as of 0
  }
};

struct Abs : TakesInfinity {
  static constexpr const char *kName = "abs", *kText = "|x|";
  template <class V>
  static PADE_HD V value(V x, const V*) {
    return choose(x > V(0), x, choose(x < V(0), -x, x * x));  // of slope 0 at 0
  }
};

struct Power : TakesInfinity {
  static constexpr const char *kName = "power", *kText = "x^exponent";
  static constexpr bool kIsFixed = true;
  static constexpr Constants<1> kConstants{{{"exponent", 1, false}}};
  static PADE_HD auto value(auto x, const auto* c) { return pow(x, c[0]); }
};

struct Sin : TakesInfinity {
  static constexpr const char *kName = "sin", *kText = "sin(x)";
  static PADE_HD auto value(auto x, const auto*) { return sin(x); }
};

struct Cos : TakesInfinity {
  static constexpr const char *kName = "cos", *kText = "cos(x)";
  static PADE_HD auto value(auto x, const auto*) { return cos(x); }
};

struct Clamp : TakesInfinity {
  static constexpr const char *kName = "clamp", *kText = "min(max(x, low), high)";
  static constexpr bool kIsFixed = true;
  static constexpr Constants<2> kConstants{{{"low", -1, false}, {"high", 1, false}}};
  static PADE_HD auto value(auto x, const auto* c) {
    return choose(x < c[0], c[0], choose(x > c[1], c[1], x));
  }
};

using Activations = std::tuple<Identity, Relu, LeakyRelu, Prelu, Tanh, Sigmoid, Elu, Softplus,
                               Swish, HardSwish, Gelu, GeluTanh, Mish, TanhSoft1, TanhSoft2,
                               TanhSoft3, Eis1, Eis2, Eis3, Smu, ErfAct, Pserf, Era>;
using Others = std::tuple<Exp, Log, Sqrt, Abs, Power, Sin, Cos, Clamp>;
using All = decltype(std::tuple_cat(Activations{}, Others{}));

/// Calls f with the formula of this index in List.
template <class List = All, size_t kFirst = 0, class F>
void with_formula(int index, F&& f) {
  if constexpr (kFirst < std::tuple_size_v<List>) {
    if (index == static_cast<int>(kFirst)) return f(std::tuple_element_t<kFirst, List>{});
    with_formula<List, kFirst + 1>(index, f);
  }
}

template <class F>
inline constexpr bool kSavesValue = requires(float y) {
  F::slope_from_value(y);
};

/// Whether there are constants that may learn.
template <class F>
inline constexpr bool kMayLearn = !F::kConstants.empty() && !F::kIsFixed;

/// A formula's derivatives by x, and by its constants.
template <class F>
inline constexpr int kVariables = 1 + static_cast<int>(F::kConstants.size());
/// Room for its constants, which is never none.
template <class F>
inline constexpr int kPlaces = F::kConstants.empty() ? 1 : static_cast<int>(F::kConstants.size());

/// The constants as numbers without derivatives.
template <class F, class V, class T>
PADE_HD void load_constants(const T* from, V (&to)[kPlaces<F>]) {
  PADE_UNROLL
  for (int k = 0; k < kVariables<F> - 1; ++k) to[k] = V(from[k]);
}

// V is a number, or lanes of numbers, and the constants are single numbers of type T.

/// min(max(x, −largest), largest), and NaN where x is. The derivative is 0 outside.
template <class V>
PADE_HD V limited(V x, double largest) {
  return choose(x > V(largest), V(largest), choose(x < V(-largest), V(-largest), x));
}

/// Where derivatives are taken: from here on every formula is its asymptote, a x + b, and products
/// of constants and x do not overflow.
template <class F, class T, class V>
PADE_HD V within_reach(V x) {
  if constexpr (F::kTakesInfinity)
    return x;
  else
    return limited(x, sizeof(T) == sizeof(float) ? 0x1p100 : 0x1p1000);
}

/// At ±∞ the limit: the value at the largest number, or an infinity where that is large itself.
template <class F, class V, class T>
PADE_HD V value_at(V x, const T* constants) {
  V c[kPlaces<F>];
  load_constants<F>(constants, c);
  if constexpr (F::kTakesInfinity) {
    return F::value(x, c);
  } else {
    constexpr double kLargest = std::numeric_limits<T>::max();
    const V root(sizeof(T) == sizeof(float) ? 0x1p64 : 0x1p512);
    const V y = F::value(limited(x, kLargest), c);
    const V limit = choose(magnitude(y) > root, y * root, y);
    return choose(magnitude(x) > V(kLargest), limit, y);
  }
}
template <class F, class V, class T>
PADE_HD V slope_at(V x, const T* constants) {
  using D = Dual<V, 1>;
  D c[kPlaces<F>];
  load_constants<F>(constants, c);
  return F::value(D(within_reach<F, T>(x), 0), c).slopes[0];
}
/// Slope 0 is that by x, and slope 1 + k that by constant k.
template <class F, class V, class T>
PADE_HD Dual<V, kVariables<F>> all_slopes_at(V x, const T* constants) {
  using D = Dual<V, kVariables<F>>;
  D c[kPlaces<F>];
  PADE_UNROLL
  for (int k = 1; k < kVariables<F>; ++k) {
    c[k - 1].value = V(constants[k - 1]);
    c[k - 1].slopes[k] = V(1);
  }
  return F::value(D(within_reach<F, T>(x), 0), c);
}
/// The second derivative is y.slopes[0].slopes[0], and the first y.value.slopes[0].
template <class F, class V, class T>
PADE_HD Dual<Dual<V, 1>, 1> curvature_at(V x, const T* constants) {
  using D = Dual<Dual<V, 1>, 1>;
  D c[kPlaces<F>];
  load_constants<F>(constants, c);
  return F::value(D(Dual<V, 1>(within_reach<F, T>(x), 0), 0), c);
}

}  // namespace pade::formulas
