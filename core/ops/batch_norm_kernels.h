#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// x seen as [n, channels, run].
struct BatchNormProblem {
  int64_t n, channels, run;

  int64_t count() const { return n * run; }  ///< values per channel
};

namespace cpu {

/// mean and biased variance of every channel, float64 [C].
void batch_statistics(const BatchNormProblem& problem, const Tensor& x, Tensor& mean,
                      Tensor& variance);
/// y = (x − mean) · inverse · gamma + beta; mean and inverse (1/√(variance + eps)) are float64 [C].
void batch_norm_apply(const BatchNormProblem& problem, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y);
/// dgamma = Σ dy · (x − mean) · inverse and dbeta = Σ dy, float64 [C].
void batch_norm_sums(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                     const Tensor& mean, const Tensor& inverse, Tensor& dgamma, Tensor& dbeta);
/// dx = gamma · inverse · (dy − dbeta/count − (x − mean) · inverse · dgamma/count), or, where mean
/// and inverse do not depend on x, gamma · inverse · dy.
void batch_norm_backward(const BatchNormProblem& problem, bool of_batch, const Tensor& dy,
                         const Tensor& x, const Tensor& mean, const Tensor& inverse,
                         const Tensor& gamma, const Tensor& dgamma, const Tensor& dbeta,
                         Tensor& dx);

}  // namespace cpu
}  // namespace pade
