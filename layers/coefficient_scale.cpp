#include <cmath>

#include <pade/layers/coefficient_scale.h>

namespace pade {
namespace {

using Powers = std::array<double, kMaxDegree + 1>;  // a polynomial, by the powers of x

std::array<Powers, kMaxDegree + 1> powers_of(Basis basis) {
  const Recurrence recurrence = recurrence_of(basis);
  std::array<Powers, kMaxDegree + 1> f{};
  f[0][0] = 1;
  for (int k = 0; k < kMaxDegree; ++k)
    for (int power = 0; power <= k + 1; ++power) {
      f[k + 1][power] = recurrence.b[k] * f[k][power];
      if (power > 0) f[k + 1][power] += recurrence.a[k] * f[k][power - 1];
      if (k > 0) f[k + 1][power] -= recurrence.c[k] * f[k - 1][power];
    }
  return f;
}

}  // namespace

std::array<double, kMaxDegree + 1> gaussian_squares(Basis basis) {
  std::array<double, 2 * kMaxDegree + 1> moments{1};  // E[Zⁿ] = (n − 1) E[Zⁿ⁻²]
  for (size_t n = 2; n < moments.size(); n += 2)
    moments[n] = static_cast<double>(n - 1) * moments[n - 2];
  std::array<double, kMaxDegree + 1> squares{};
  const auto f = powers_of(basis);
  for (int degree = 0; degree <= kMaxDegree; ++degree)
    for (int i = 0; i <= degree; ++i)
      for (int j = 0; j <= degree; ++j)
        squares[degree] += f[degree][i] * f[degree][j] * moments[i + j];
  return squares;
}

std::array<double, kMaxDegree + 1> coefficient_scales(Basis basis) {
  auto scales = gaussian_squares(basis);
  for (double& scale : scales) scale = std::exp2(std::round(-std::log2(scale) / 2));
  return scales;
}

}  // namespace pade
