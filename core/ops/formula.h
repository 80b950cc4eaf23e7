#pragma once

#include <vector>

#include <pade/core/formula.h>
#include <pade/core/tensor.h>

namespace pade {

/// y = f(x; constants), element by element.
///
///   x           any shape; float32 or float64
///   constants   [number of constants], of x's dtype; on x's device
///   learns      which of them have a gradient, all where it is empty; the others' is 0
///
/// The derivatives are those of the formula, by forward-mode differentiation
/// (core/kernels/math/dual.h); at a kink that of the branch which the formula takes.
///
/// At ±∞ the value is the limit. Beyond ±2^100 in float32, and ±2^1000 in float64, all derivatives
/// are those at these numbers: the formula is its asymptote a x + b there, and derivatives by x
/// have reached their limits. The value at NaN is NaN.
///
/// The gradient of the constants is summed in
/// float64 over fixed blocks in a fixed order: the same bits for any number of threads, and on
/// every GPU. Throws Error on other dtypes and shapes.
Tensor apply_formula(const Formula& formula, const Tensor& x, const Tensor& constants,
                     const std::vector<bool>& learns = {});

/// d²f/dx², element by element. It is not recorded on a tape.
Tensor formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants);

}  // namespace pade
