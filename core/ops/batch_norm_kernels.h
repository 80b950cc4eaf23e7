#pragma once

#include <vector>

#include <pade/core/ops/batch_norm.h>
#include <pade/core/ops/strip_function_kernels.h>

namespace pade {

/// x seen as [n, channels, run].
struct BatchNormProblem {
  int64_t n, channels, run;
  BatchNormOptions options;

  int64_t count() const { return n * run; }  ///< values per channel
  /// What the sums over the batch are multiplied with in dx.
  double share() const { return options.training ? 1 / static_cast<double>(count()) : 0; }
};

/// In all of these mean and inverse, 1/√(variance + eps), are float64 [C], and gamma, beta and the
/// running statistics may be undefined.
namespace cpu {

/// Of the batch; moves the running statistics.
void batch_norm_statistics(const BatchNormProblem& problem, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var);
/// From the running statistics.
void batch_norm_running_statistics(const BatchNormProblem& problem, const Tensor& running_mean,
                                   const Tensor& running_var, Tensor& mean, Tensor& inverse);
/// y = (x − mean) · inverse · gamma + beta
void batch_norm_apply(const BatchNormProblem& problem, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y);
/// dgamma = Σ dy · (x − mean) · inverse and dbeta = Σ dy, and the same in float64: sums [2, C].
void batch_norm_sums(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                     const Tensor& mean, const Tensor& inverse, Tensor& sums, Tensor& dgamma,
                     Tensor& dbeta);
/// dx = gamma · inverse · (dy − dbeta/count − (x − mean) · inverse · dgamma/count), or, when not
/// training, gamma · inverse · dy.
void batch_norm_backward(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                         const Tensor& mean, const Tensor& inverse, const Tensor& gamma,
                         const Tensor& sums, Tensor& dx);

/// f of what batch_norm_apply() gives, in one pass: y = f((x − mean) · inverse · gamma + beta).
void batch_norm_then(const BatchNormProblem& problem, const Tensor& x, const Tensor& mean,
                     const Tensor& inverse, const Tensor& gamma, const Tensor& beta,
                     const StripFunctions& f, Tensor& y);
/// dx, dgamma and dbeta from dy, which belongs to y, and the sums of f's backward over all strips.
std::vector<double> batch_norm_then_backward(const BatchNormProblem& problem, const Tensor& dy,
                                             const Tensor& x, const Tensor& mean,
                                             const Tensor& inverse, const Tensor& gamma,
                                             const Tensor& beta, const StripFunctions& f,
                                             Tensor& dx, Tensor& dgamma, Tensor& dbeta);

}  // namespace cpu

namespace cuda {

decltype(cpu::batch_norm_statistics) batch_norm_statistics;
decltype(cpu::batch_norm_running_statistics) batch_norm_running_statistics;
decltype(cpu::batch_norm_apply) batch_norm_apply;
decltype(cpu::batch_norm_sums) batch_norm_sums;
decltype(cpu::batch_norm_backward) batch_norm_backward;

}  // namespace cuda
}  // namespace pade
