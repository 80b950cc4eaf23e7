#pragma once

#include <span>

#include <pade/core/kernels/problems.h>

namespace pade::cuda {

// Of elementwise_forward() and elementwise_backward(), for P/Q.
void rational_forward(const RationalProblem& problem, const Tensor& x,
                      std::span<const Tensor> parameters, Tensor& y);
void rational_backward(const RationalProblem& problem, const Tensor& x,
                       std::span<const Tensor> parameters, const Tensor& dy, Tensor& dx,
                       std::span<Tensor> gradients);

}  // namespace pade::cuda
