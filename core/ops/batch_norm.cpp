#include <cmath>

#include <pade/core/error.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/batch_norm_kernels.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

void check_channels(const char* what, const Tensor& x, const Tensor& tensor, bool required) {
  check(tensor.defined() || !required, "batch_norm: ", what, " is needed when not training");
  if (!tensor.defined()) return;
  check(tensor.shape() == Shape{x.extent(1)} && tensor.dtype() == x.dtype(),
        "batch_norm: expected ", what, " of shape [", x.extent(1), "] and ", x.dtype(),
        " for input ", x.shape(), ", got ", tensor.shape(), " and ", tensor.dtype());
}

BatchNormProblem make_problem(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                              const Tensor& running_mean, const Tensor& running_var,
                              const BatchNormOptions& options) {
  check(is_floating(x.dtype()), "batch_norm: expected float32 or float64, got ", x.dtype());
  check(x.rank() >= 2, "batch_norm: expected [N, C, …], got ", x.shape());
  check_channels("gamma", x, gamma, false);
  check_channels("beta", x, beta, false);
  check_channels("running_mean", x, running_mean, !options.training);
  check_channels("running_var", x, running_var, !options.training);
  const BatchNormProblem problem{x.extent(0), x.extent(1), x.shape().size_from(2)};
  check(!options.training || problem.count() >= 2,
        "batch_norm: expected at least 2 values per channel in training, got input ", x.shape());
  return problem;
}

void update_running(Tensor& running, const Tensor& batch, double momentum, double scale) {
  if (!running.defined()) return;
  running.mul_(1 - momentum).add_(batch.to(running.dtype()), momentum * scale);
}

/// 1/√(variance + eps), float64 [C].
Tensor inverse_deviation(const Tensor& variance, double eps) {
  Tensor inverse = variance.clone();
  double* values = inverse.mutable_data<double>();
  for (int64_t c = 0; c < inverse.size(); ++c) values[c] = 1 / std::sqrt(values[c] + eps);
  return inverse;
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                  Tensor running_var, BatchNormOptions options) {
  const BatchNormProblem problem = make_problem(x, gamma, beta, running_mean, running_var, options);
  Tensor y = Tensor::empty_like(x), mean, inverse;
  {
    const NoGrad no_grad;
    if (options.training) {
      Tensor variance = Tensor::empty({problem.channels}, DType::float64);
      mean = Tensor::empty({problem.channels}, DType::float64);
      cpu::batch_statistics(problem, x, mean, variance);
      const double count = static_cast<double>(problem.count());
      update_running(running_mean, mean, options.momentum, 1);
      update_running(running_var, variance, options.momentum, count / (count - 1));
      inverse = inverse_deviation(variance, options.eps);
    } else {
      mean = running_mean.detach().to(DType::float64).clone();
      inverse = inverse_deviation(running_var.detach().to(DType::float64), options.eps);
    }
    cpu::batch_norm_apply(problem, x, mean, inverse, gamma, beta, y);
  }
  record("batch_norm", {&x, &gamma, &beta}, y, {&x, &gamma, &mean, &inverse},
         [problem, of_batch = options.training](Gradients& gradients) {
           const Tensor &x = gradients.saved(0), &gamma = gradients.saved(1),
                        &mean = gradients.saved(2), &inverse = gradients.saved(3);
           const Tensor& dy = gradients.of_output();
           Tensor dgamma = Tensor::empty_like(mean), dbeta = Tensor::empty_like(mean);
           cpu::batch_norm_sums(problem, dy, x, mean, inverse, dgamma, dbeta);
           if (gradients.needs(0)) {
             Tensor dx = Tensor::empty_like(x);
             cpu::batch_norm_backward(problem, of_batch, dy, x, mean, inverse, gamma, dgamma, dbeta,
                                      dx);
             gradients.set(0, dx);
           }
           gradients.set(1, dgamma.to(x.dtype()));
           gradients.set(2, dbeta.to(x.dtype()));
         });
  return y;
}

}  // namespace pade
