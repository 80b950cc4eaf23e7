#include <memory>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/kernel_choice.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/pending_batch_norm.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

void check_channels(const char* what, const Tensor& x, const Tensor& tensor, bool required) {
  check(tensor.defined() || !required, "batch_norm: ", what, " is needed when not training");
  if (!tensor.defined()) return;
  check(tensor.shape() == Shape{x.extent(1)} && tensor.dtype() == x.dtype(),
        "batch_norm: expected ", what, " of shape [", x.extent(1), "] and ", x.dtype(),
        " for input ", x.shape(), ", got ", tensor.shape(), " and ", tensor.dtype());
  check(tensor.device() == x.device(), "batch_norm: the input is on ", x.device(), ", ", what,
        " on ", tensor.device());
}

BatchNormProblem make_problem(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                              const Tensor& running_mean, const Tensor& running_var,
                              const BatchNormOptions& options) {
  check_floating("batch_norm", {"x", x});
  check(x.rank() >= 2, "batch_norm: expected [N, C, …], got ", x.shape());
  check_channels("gamma", x, gamma, false);
  check_channels("beta", x, beta, false);
  check_channels("running_mean", x, running_mean, !options.training);
  check_channels("running_var", x, running_var, !options.training);
  if (options.training)
    for (const Tensor* running : {&running_mean, &running_var})
      for (const Tensor* other : {&x, &gamma, &beta, &running_mean, &running_var})
        check(other == running || !running->overlaps(*other), "batch_norm: running statistics, ",
              "which are updated in place, share memory with another argument; clone() them");
  const BatchNormProblem problem{x.extent(0),      x.extent(1),      x.shape().size_from(2),
                                 options.training, options.momentum, options.eps};
  check(!options.training || problem.count() >= 2,
        "batch_norm: expected at least 2 values per channel in training, got input ", x.shape());
  return problem;
}

Tensor copy_of(const Tensor& tensor) { return tensor.defined() ? tensor.detach().clone() : tensor; }

/// y, to be computed when it is read.
Tensor promise_normalised(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                          const Tensor& beta, const Tensor& mean, const Tensor& inverse) {
  auto promise = std::make_unique<PendingBatchNorm>();
  promise->problem = problem;
  promise->x = x, promise->gamma = gamma, promise->beta = beta;
  promise->gamma_values = copy_of(gamma), promise->beta_values = copy_of(beta);
  promise->mean = mean, promise->inverse = inverse;
  const Tensor y = Tensor::promised(x.shape(), x.dtype(), x.device(), std::move(promise));
  x.add_dependent(y);
  return y;
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                  Tensor running_var, BatchNormOptions options) {
  const BatchNormProblem problem = make_problem(x, gamma, beta, running_mean, running_var, options);
  Tensor mean = Tensor::empty({problem.channels}, DType::float64, x.device());
  Tensor inverse = Tensor::empty_like(mean);
  if (options.training)
    kernels_of(x).batch_norm_statistics(problem, x, mean, inverse, running_mean, running_var);
  else
    kernels_of(x).batch_norm_running_statistics(problem, running_mean, running_var, mean, inverse);
  Tensor y;
  if (x.on_cuda() || kernel_choice() == KernelChoice::reference) {
    y = Tensor::empty_like(x);
    kernels_of(x).batch_norm_apply(problem, x, mean, inverse, gamma, beta, y);
  } else {
    y = promise_normalised(problem, x, gamma, beta, mean, inverse);
  }
  record("batch_norm", {&x, &gamma, &beta}, y, {&x, &gamma, &mean, &inverse},
         [problem](Gradients& gradients) {
           const Tensor &x = gradients.saved(0), &gamma = gradients.saved(1),
                        &mean = gradients.saved(2), &inverse = gradients.saved(3);
           const Tensor& dy = gradients.of_output();
           Tensor sums = Tensor::empty({2, problem.channels}, DType::float64, x.device());
           Tensor dgamma = Tensor::empty({problem.channels}, x.dtype(), x.device());
           Tensor dbeta = Tensor::empty_like(dgamma);
           kernels_of(x).batch_norm_sums(problem, dy, x, mean, inverse, sums, dgamma, dbeta);
           if (gradients.needs(0)) {
             Tensor dx = Tensor::empty_like(x);
             kernels_of(x).batch_norm_backward(problem, dy, x, mean, inverse, gamma, sums, dx);
             gradients.set(0, dx);
           }
           gradients.set(1, dgamma);
           gradients.set(2, dbeta);
         });
  const auto pending = std::dynamic_pointer_cast<PendingBatchNorm>(y.promise());
  if (Tape* tape = Tape::recording(); pending && tape) {
    pending->tape = tape->generation();
    pending->index = tape->index_of(y);
  }
  return y;
}

}  // namespace pade
