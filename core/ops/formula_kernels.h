#pragma once

#include <memory>
#include <vector>

#include <pade/core/ops/formula.h>
#include <pade/core/ops/strip_function_kernels.h>

namespace pade::cpu {

/// y = f(x).
void formula_forward(const Formula& formula, const Tensor& x, const Tensor& constants, Tensor& y);
/// dx = dy f′(x).
void formula_backward(const Formula& formula, const Tensor& x, const Tensor& constants,
                      const Tensor& dy, Tensor& dx);
/// The same, and dconstants[k] = Σ dy ∂f/∂constants[k].
void formula_backward_with_constants(const Formula& formula, const Tensor& x,
                                     const Tensor& constants, const Tensor& dy, Tensor& dx,
                                     Tensor& dconstants);
/// To be applied in one pass with the op before it, with the constants for a parameter. As
/// apply_formula() has it, learns[k] says whether constants[k] has a gradient; none has one unless
/// `any_learns`.
std::shared_ptr<const ElementwiseOp> formula_elementwise(const Formula& formula, bool any_learns,
                                                         const std::vector<bool>& learns);
/// y = f″(x).
void formula_curvature(const Formula& formula, const Tensor& x, const Tensor& constants, Tensor& y);

}  // namespace pade::cpu

namespace pade::cuda {

decltype(cpu::formula_forward) formula_forward;
decltype(cpu::formula_backward) formula_backward;
decltype(cpu::formula_backward_with_constants) formula_backward_with_constants;
decltype(cpu::formula_curvature) formula_curvature;

}  // namespace pade::cuda
