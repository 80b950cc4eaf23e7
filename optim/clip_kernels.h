#pragma once

#include <span>

#include <pade/core/tensor.h>

/// Of float32 and float64 tensors of one device together.
namespace pade::cpu {

/// sum = Σ (factor · x)² over all elements, in float64, with a factor for each tensor; NaN where
/// one with the factor 0 has an element that is not finite.
void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum);
/// Every element becomes x · factor.
void scale_all(std::span<Tensor> tensors, double factor);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::sum_of_squares) sum_of_squares;
decltype(cpu::scale_all) scale_all;

}  // namespace pade::cuda
