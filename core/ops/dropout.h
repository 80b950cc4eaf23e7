#pragma once

#include <pade/core/random.h>
#include <pade/core/tensor.h>

namespace pade {

/// Sets each element to 0 with the given probability and multiplies the others by
/// 1 / (1 − probability), so that the expectation stays. Element i is dropped when uniform_float(w)
/// < probability, w being word i mod 4 of block ⌊i / 4⌋ of `rng`, counted from where it stands,
/// which then moves on by ⌈x.size() / 4⌉ blocks. For probability 0 the result is `x` and nothing is
/// drawn; for 1 it is 0 everywhere. float32 and float64. Throws Error unless the probability is in
/// [0, 1].
Tensor dropout(const Tensor& x, double probability, Rng& rng);

}  // namespace pade
