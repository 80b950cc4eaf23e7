#pragma once

#include <memory>

#include <pade/core/ops/strip_function_kernels.h>
#include <pade/core/ops/unary_math.h>
#include <pade/core/tensor.h>

namespace pade::cpu {

/// y = f(x); same shape and dtype.
void unary_forward(const unary::Function& f, const Tensor& x, Tensor& y);
/// dx = dy · f′, from what f saves: x or y.
void unary_backward(const unary::Function& f, const Tensor& saved, const Tensor& dy, Tensor& dx);

/// To be applied in one pass with the op before it.
std::shared_ptr<const ElementwiseOp> unary_elementwise(const char* op, const unary::Function& f);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::unary_forward) unary_forward;
decltype(cpu::unary_backward) unary_backward;

}  // namespace pade::cuda
