#pragma once

#include <initializer_list>
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

/// In backward: what was saved, and what becomes the gradients.
class ParameterGradients {
 public:
  /// The parameters are the inputs from number `input` on, and were saved from number `saved` on.
  ParameterGradients(Gradients& gradients, const ElementwiseProblem& problem, int input, int saved);
  const std::vector<Tensor>& parameters() const { return parameters_; }
  /// For a kernel, which fills them; none where none is asked for.
  std::vector<Tensor>& results() { return results_; }
  /// Passes them on. Constants that do not learn have the gradient 0.
  void set();

 private:
  Gradients& gradients_;
  const ElementwiseProblem& problem_;
  int input_;
  std::vector<Tensor> parameters_, results_;
};

}  // namespace pade
