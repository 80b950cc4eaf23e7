#pragma once

#include <cstdint>

#include <pade/core/kernels/cpu/simd.h>

/// The transforms of Winograd's F(4×4, 3×3), for as many channels as there are lanes: a tile of 4×4
/// outputs of a 3×3 convolution costs 36 products in the place of 144. With d a tile of 6×6 inputs,
/// g a filter and ⊙ the product element by element,
///
///   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
///
/// and the filter's gradient for dy, a tile of the output's gradient, is
///
///   dg = Gᵀ [(Bᵀ d B) ⊙ (A dy Aᵀ)] G
///
/// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (arXiv:1509.09308),
/// from interpolation at 0, ±1, ±2 and ∞.
namespace pade::cpu::winograd {

inline constexpr int64_t kOutput = 4;                ///< a tile of outputs, along one axis
inline constexpr int64_t kInput = kOutput + 2;       ///< what it depends on
inline constexpr int64_t kPoints = kInput * kInput;  ///< products per tile and pair of channels

/// Bᵀ along one axis.
struct InputTransform {
  static constexpr int kFrom = kInput, kTo = kInput;
  template <class V>
  static void apply(const V (&d)[kFrom], V (&out)[kTo]) {
    const V even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
    const V even2 = d[4] - d[2], odd2 = 2 * (d[3] - d[1]);
    out[0] = 4 * d[0] - 5 * d[2] + d[4];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = even2 + odd2;
    out[4] = even2 - odd2;
    out[5] = 4 * d[1] - 5 * d[3] + d[5];
  }
};

/// G along one axis.
struct FilterTransform {
  static constexpr int kFrom = 3, kTo = kInput;
  template <class V>
  static void apply(const V (&g)[kFrom], V (&out)[kTo]) {
    const V even = g[0] + g[2], even2 = g[0] / 24 + g[2] / 6, odd2 = g[1] / 12;
    out[0] = g[0] / 4;
    out[1] = (even + g[1]) / -6;
    out[2] = (even - g[1]) / -6;
    out[3] = even2 + odd2;
    out[4] = even2 - odd2;
    out[5] = g[2];
  }
};

/// Gᵀ along one axis.
struct FilterGradientTransform {
  static constexpr int kFrom = kInput, kTo = 3;
  template <class V>
  static void apply(const V (&u)[kFrom], V (&out)[kTo]) {
    const V even = (u[1] + u[2]) / 6, odd = (u[2] - u[1]) / 6;
    const V even2 = u[3] + u[4], odd2 = u[3] - u[4];
    out[0] = u[0] / 4 - even + even2 / 24;
    out[1] = odd + odd2 / 12;
    out[2] = even2 / 6 - even + u[5];
  }
};

/// Aᵀ along one axis.
struct OutputTransform {
  static constexpr int kFrom = kInput, kTo = kOutput;
  template <class V>
  static void apply(const V (&m)[kFrom], V (&out)[kTo]) {
    const V even = m[1] + m[2], odd = m[1] - m[2];
    const V even2 = m[3] + m[4], odd2 = m[3] - m[4];
    out[0] = m[0] + even + even2;
    out[1] = odd + 2 * odd2;
    out[2] = even + 4 * even2;
    out[3] = odd + 8 * odd2 + m[5];
  }
};

/// A along one axis.
struct OutputGradientTransform {
  static constexpr int kFrom = kOutput, kTo = kInput;
  template <class V>
  static void apply(const V (&y)[kFrom], V (&out)[kTo]) {
    const V even = y[0] + y[2], odd = y[1] + y[3];
    const V even2 = y[0] + 4 * y[2], odd2 = 2 * y[1] + 8 * y[3];
    out[0] = y[0];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = even2 + odd2;
    out[4] = even2 - odd2;
    out[5] = y[3];
  }
};

/// A transform along both axes: of what load(row, column) gives, to store(row, column, value).
template <class T, class Transform, class Load, class Store>
inline void transform_tile(Load&& load, Store&& store) {
  using V = Lanes<T>;
  constexpr int kFrom = Transform::kFrom, kTo = Transform::kTo;
  V half[kTo][kFrom];
  for (int column = 0; column < kFrom; ++column) {
    V in[kFrom], out[kTo];
    for (int row = 0; row < kFrom; ++row) in[row] = load(row, column);
    Transform::template apply<V>(in, out);
    for (int row = 0; row < kTo; ++row) half[row][column] = out[row];
  }
  for (int row = 0; row < kTo; ++row) {
    V out[kTo];
    Transform::template apply<V>(half[row], out);
    for (int column = 0; column < kTo; ++column) store(row, column, out[column]);
  }
}

}  // namespace pade::cpu::winograd
