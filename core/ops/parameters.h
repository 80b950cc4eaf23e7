#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include <pade/core/kernels/problems.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/tape.h>

/// What the ops that apply an ElementwiseFunction share. Its parameters are the last inputs of the
/// op, and the last tensors that it saves.
namespace pade {

/// What kernels are told of rational(x, numerator, denominator, options). Throws Error as that
/// does.
RationalProblem rational_problem(const Tensor& x, const Tensor& numerator,
                                 const Tensor& denominator, RationalOptions options);

/// `first`, then f's parameters: for record().
std::vector<const Tensor*> before_parameters(std::initializer_list<const Tensor*> first,
                                             const ElementwiseFunction& f);

/// Called in backward. Sets the gradients of f's parameters, which compute() fills; it gets none if
/// none is asked for. The parameters are the inputs from number `input` on, and were saved from
/// number `saved` on.
void set_parameters(Gradients& gradients, const ElementwiseProblem& f, int input, int saved,
                    const std::function<void(std::span<const Tensor> parameters,
                                             std::span<Tensor> gradients)>& compute);

}  // namespace pade
