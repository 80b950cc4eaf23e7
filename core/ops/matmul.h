#pragma once

#include <pade/core/tensor.h>

namespace pade {

struct MatmulOptions {
  bool transpose_a = false;  ///< multiply by aᵀ: the last two axes of `a` change places
  bool transpose_b = false;
};

/// op(a) · op(b), where op transposes if asked to (nothing is copied for that): [m, k] · [k, n]
/// gives [m, n]. Axes before the last two count matrices and broadcast as NumPy's do, so that
/// [8, 1, m, k] · [5, k, n] gives [8, 5, m, n]. float32 and float64; a product over k = 0 is 0.
/// Throws Error when the ranks are below 2, or extents or dtypes do not agree.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

}  // namespace pade
