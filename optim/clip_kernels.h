#pragma once

#include <span>

#include <pade/core/tensor.h>

/// Of float32 and float64 tensors of one device together.
namespace pade::cpu {

/// sum = Σ x² over all elements, in float64; Σ (scale · x)² of a tensor whose scale is defined.
/// There are as many scales as tensors.
void sum_of_squares(std::span<const Tensor> tensors, std::span<const Tensor> scales, double& sum);
/// Every element becomes x · factor.
void scale_all(std::span<Tensor> tensors, double factor);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::sum_of_squares) sum_of_squares;
decltype(cpu::scale_all) scale_all;

}  // namespace pade::cuda
