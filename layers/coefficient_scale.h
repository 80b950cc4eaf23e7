#pragma once

#include <array>

#include <pade/core/polynomial_basis.h>

namespace pade {

/// E[f_0(Z)²] … E[f_8(Z)²] of a family over Z ~ N(0, 1): i! for Hermite He.
std::array<double, kMaxDegree + 1> gaussian_squares(Basis basis);

/// The power of two next to 1/√E[f_i(Z)²] on a logarithmic scale. A coefficient c_i in the variable
/// c_i / scale_i changes the function of Gaussian inputs about as much per unit for every degree i;
/// a factor 2^±½ is left.
std::array<double, kMaxDegree + 1> coefficient_scales(Basis basis);

}  // namespace pade
