#include <mutex>
#include <set>
#include <string>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/operands.h>
#include <pade/core/ops/parameters.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

void check_channels(const char* what, const Tensor& x, const Tensor& tensor, bool required) {
  check(tensor.defined() || !required, "batch_norm: ", what, " is needed when not training");
  if (tensor.defined()) check_vector("batch_norm", {"x", x}, {what, tensor}, x.extent(1));
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

/// Names as `batch_norm+relu` live as long as the program, as a tape's names do.
const char* name_with(const char* function) {
  static std::set<std::string> names;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return names.insert(std::string("batch_norm+") + function).first->c_str();
}

/// mean and 1/√(variance + eps) of each channel, float64 [C].
struct Statistics {
  Tensor mean, inverse;

  Statistics(const BatchNormProblem& p, const Tensor& x, Tensor& running_mean, Tensor& running_var)
      : mean(Tensor::empty({p.channels}, DType::float64, x.device())),
        inverse(Tensor::empty_like(mean)) {
    kernels_of(x).batch_norm_statistics(p, x, mean, inverse, running_mean, running_var);
  }
};

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                  Tensor running_var, BatchNormOptions options) {
  const BatchNormProblem p = make_problem(x, gamma, beta, running_mean, running_var, options);
  const auto [mean, inverse] = Statistics(p, x, running_mean, running_var);
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).batch_norm_apply(p, x, mean, inverse, gamma, beta, y);
  record("batch_norm", {&x, &gamma, &beta}, y, {&x, &gamma, &mean, &inverse},
         [p](Gradients& gradients) {
           const Tensor &x = gradients.saved(0), &gamma = gradients.saved(1),
                        &mean = gradients.saved(2), &inverse = gradients.saved(3);
           const Tensor& dy = gradients.of_output();
           Tensor dx = gradients.needs(0) ? Tensor::empty_like(x) : Tensor();
           Tensor dgamma = empty_beside(x, {p.channels}), dbeta = Tensor::empty_like(dgamma);
           kernels_of(x).batch_norm_backward(p, dy, x, mean, inverse, gamma, dx, dgamma, dbeta);
           gradients.set(0, dx);
           gradients.set(1, dgamma);
           gradients.set(2, dbeta);
         });
  return y;
}

Tensor norm_act(const Tensor& x, const Tensor& gamma, const Tensor& beta, Tensor running_mean,
                Tensor running_var, BatchNormOptions options, const ElementwiseFunction& f) {
  const BatchNormProblem p = make_problem(x, gamma, beta, running_mean, running_var, options);
  const ElementwiseProblem function = f.problem(x);
  if (!kernels_of(x).norm_act_forward || function.groups() > 1)
    return apply(f, batch_norm(x, gamma, beta, running_mean, running_var, options));

  const auto [mean, inverse] = Statistics(p, x, running_mean, running_var);
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).norm_act_forward(p, function, x, mean, inverse, gamma, beta, f.parameters, y);
  record(name_with(f.name()), before_parameters({&x, &gamma, &beta}, f), y,
         before_parameters({&x, &gamma, &beta, &mean, &inverse}, f),
         [p, function](Gradients& gradients) {
           const Tensor &x = gradients.saved(0), &gamma = gradients.saved(1),
                        &beta = gradients.saved(2), &mean = gradients.saved(3),
                        &inverse = gradients.saved(4);
           set_parameters(gradients, function, 3, 5, [&](auto parameters, auto of_parameters) {
             Tensor dx = Tensor::empty_like(x);
             Tensor dgamma = empty_beside(x, {p.channels}), dbeta = Tensor::empty_like(dgamma);
             kernels_of(x).norm_act_backward(p, function, gradients.of_output(), x, mean, inverse,
                                             gamma, beta, parameters, dx, dgamma, dbeta,
                                             of_parameters);
             gradients.set(0, dx);
             gradients.set(1, dgamma);
             gradients.set(2, dbeta);
           });
         });
  return y;
}

}  // namespace pade
