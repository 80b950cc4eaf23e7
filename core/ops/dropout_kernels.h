#pragma once

#include <pade/core/random.h>
#include <pade/core/tensor.h>

namespace pade::cpu {

/// y = x / (1 − probability) where `rng` keeps the element, 0 elsewhere. The gradient is the same
/// function of dy, given the same position of the generator.
void dropout(const Tensor& x, double probability, const Rng& rng, Tensor& y);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::dropout) dropout;

}  // namespace pade::cuda
