#pragma once

#include <memory>

#include <pade/core/ops/rational.h>
#include <pade/core/ops/strip_function_kernels.h>

namespace pade {

/// What a rational kernel works on: x seen as [outer, groups, run], coefficients [groups, …].
struct RationalProblem {
  RationalOptions options;
  int64_t outer, groups, run;
  int m, n;

  int first() const { return first_denominator(options.form); }
  /// Of each group.
  int denominators() const { return n + 1 - first(); }
};

namespace cpu {

void rational_forward(const RationalProblem& problem, const Tensor& x, const Tensor& numerator,
                      const Tensor& denominator, Tensor& y);
void rational_backward(const RationalProblem& problem, const Tensor& x, const Tensor& numerator,
                       const Tensor& denominator, const Tensor& dy, Tensor& dx, Tensor& dnumerator,
                       Tensor& ddenominator);
/// To be applied in one pass with the op before it: of one group, with the numerator and the
/// denominator for parameters.
std::shared_ptr<const ElementwiseOp> rational_elementwise(const RationalProblem& problem);

}  // namespace cpu

namespace cuda {

decltype(cpu::rational_forward) rational_forward;
decltype(cpu::rational_backward) rational_backward;

}  // namespace cuda
}  // namespace pade
