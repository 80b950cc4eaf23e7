#include <cmath>
#include <vector>

#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

/// Calls f(channel, position) for every element of x.
template <class F>
void for_each_element(const BatchNormProblem& p, F&& f) {
  for (int64_t i = 0; i < p.n * p.channels * p.run; ++i) f(i / p.run % p.channels, i);
}

/// running = (1 − momentum) · running + momentum · of_batch · correction.
void move(const BatchNormProblem& p, Tensor& statistic, const std::vector<double>& of_batch,
          double correction) {
  Updated running(statistic);
  for (int64_t c = 0; c < running.size(); ++c)
    running[c] = (1 - p.momentum) * running[c] + p.momentum * of_batch[c] * correction;
}

void batch_norm_statistics(const BatchNormProblem& p, const Array& x, Result mean, Result inverse,
                           Tensor& running_mean, Tensor& running_var) {
  const auto count = static_cast<double>(p.count());
  std::vector<double> variance(p.channels, 0);
  if (p.training) {
    for_each_element(p, [&](int64_t c, int64_t i) { mean[c] += x[i] / count; });
    for_each_element(p, [&](int64_t c, int64_t i) {
      variance[c] += (x[i] - mean[c]) * (x[i] - mean[c]) / count;
    });
    move(p, running_mean, mean.values(), 1);
    move(p, running_var, variance, count / (count - 1));
  } else {
    const Array means(running_mean);
    for (int64_t c = 0; c < p.channels; ++c) mean[c] = means[c];
    variance = Array(running_var).values();
  }
  for (int64_t c = 0; c < p.channels; ++c) inverse[c] = 1 / std::sqrt(variance[c] + p.eps);
}

void batch_norm_apply(const BatchNormProblem& p, const Array& x, const Array& mean,
                      const Array& inverse, const Array& gamma, const Array& beta, Result y) {
  for_each_element(p, [&](int64_t c, int64_t i) {
    y[i] = (x[i] - mean[c]) * inverse[c] * gamma.at(c, 1) + beta.at(c, 0);
  });
}

void batch_norm_sums(const BatchNormProblem& p, const Array& dy, const Array& x, const Array& mean,
                     const Array& inverse, Result sums, Result dgamma, Result dbeta) {
  for_each_element(p, [&](int64_t c, int64_t i) {
    dgamma[c] += dy[i] * (x[i] - mean[c]) * inverse[c];
    dbeta[c] += dy[i];
  });
  for (int64_t c = 0; c < p.channels; ++c) {
    sums(0, c) = dgamma[c];
    sums(1, c) = dbeta[c];
  }
}

void batch_norm_backward(const BatchNormProblem& p, const Array& dy, const Array& x,
                         const Array& mean, const Array& inverse, const Array& gamma,
                         const Array& sums, Result dx) {
  for_each_element(p, [&](int64_t c, int64_t i) {
    const double normalised = (x[i] - mean[c]) * inverse[c];
    const double dgamma = sums(0, c), dbeta = sums(1, c);
    dx[i] = gamma.at(c, 1) * inverse[c] * (dy[i] - p.share() * (dbeta + normalised * dgamma));
  });
}

}  // namespace

void add_batch_norm(Kernels& kernels) {
  define<batch_norm_statistics>(kernels.batch_norm_statistics);
  define<batch_norm_apply>(kernels.batch_norm_apply);
  define<batch_norm_sums>(kernels.batch_norm_sums);
  define<batch_norm_backward>(kernels.batch_norm_backward);
}

}  // namespace pade::reference
