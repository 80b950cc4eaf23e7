#pragma once

#include <pade/core/random.h>

/// Fill a float32 or float64 tensor from the blocks of `rng` from where it stands; the caller moves
/// it on.
namespace pade::cpu {

void fill_uniform(const Rng& rng, double low, double high, Tensor& tensor);
void fill_normal(const Rng& rng, double mean, double deviation, Tensor& tensor);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::fill_uniform) fill_uniform;
decltype(cpu::fill_normal) fill_normal;

}  // namespace pade::cuda
