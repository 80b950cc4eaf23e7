#pragma once

#include <string>

#include <pade/core/tensor.h>

/// Kernels with a bug each, which the emulation must find; and twins that are right.
namespace planted {

/// Launches the kernel of that name. `x` holds 256 ones and `y` 64 zeros, float32 on cuda; `host`
/// is an address that kernels must not follow.
void run(const std::string& name, const pade::Tensor& x, pade::Tensor& y, const float* host);

/// Σ x in two passes, in a fixed order; and by atomics, in whatever order threads come.
void sum_in_two_passes(const pade::Tensor& x, pade::Tensor& partials, pade::Tensor& sum);
void sum_by_atomics(const pade::Tensor& x, pade::Tensor& sum);

}  // namespace planted
