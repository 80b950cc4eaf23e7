#pragma once

#include <pade/core/ops/arithmetic_math.h>
#include <pade/core/tensor.h>

namespace pade::cpu {

/// y = f(a, b), with a and b stretched to y's shape.
void arithmetic_forward(const arithmetic::Function& f, const Tensor& a, const Tensor& b, Tensor& y);

/// The gradients of a and b, of those that are defined: summed over the axes along which the
/// operand was stretched. An operand that f does not use for them may be undefined.
void arithmetic_backward(const arithmetic::Function& f, const Tensor& dy, const Tensor& a,
                         const Tensor& b, Tensor& da, Tensor& db);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::arithmetic_forward) arithmetic_forward;
decltype(cpu::arithmetic_backward) arithmetic_backward;

}  // namespace pade::cuda
