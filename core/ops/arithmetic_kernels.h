#pragma once

#include <pade/core/ops/arithmetic_math.h>
#include <pade/core/tensor.h>

namespace pade::cpu {

/// y = f(a, b), with a and b stretched to y's shape.
void arithmetic_forward(const arithmetic::Function& f, const Tensor& a, const Tensor& b, Tensor& y);

/// The gradient of operand number `operand` (0: a, 1: b): summed over the axes along which that
/// was stretched. An operand that f does not use for it may be undefined.
void arithmetic_backward(const arithmetic::Function& f, int operand, const Tensor& dy,
                         const Tensor& a, const Tensor& b, Tensor& gradient);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::arithmetic_forward) arithmetic_forward;
decltype(cpu::arithmetic_backward) arithmetic_backward;

}  // namespace pade::cuda
