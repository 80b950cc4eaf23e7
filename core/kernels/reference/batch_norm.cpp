#include <cmath>
#include <vector>

#include <pade/core/kernels/reference/array.h>

namespace pade::reference {
namespace {

/// Calls f(channel, i) for every element of x, i being its row-major number.
void for_each_element(const BatchNormProblem& p, const auto& f) {
  for (int64_t i = 0; i < p.n * p.channels * p.run; ++i) f(i / p.run % p.channels, i);
}

/// running = (1 − momentum) · running + momentum · correction · of_batch.
void move(InOut running, double momentum, double correction, auto& of_batch) {
  for (int64_t c = 0; c < running.size(); ++c)
    running[c] = (1 - momentum) * running[c] + momentum * correction * of_batch[c];
}

}  // namespace

void add_batch_norm(Kernels& kernels) {
  kernels.batch_norm_statistics = [](const BatchNormProblem& p, In x, Out mean, Out inverse,
                                     Tensor& running_mean, Tensor& running_var) {
    const auto count = static_cast<double>(p.count());
    std::vector<double> variance(p.channels, 0);
    if (p.training) {
      for_each_element(p, [&](auto c, auto i) { mean[c] += x[i] / count; });
      for_each_element(
          p, [&](auto c, auto i) { variance[c] += (x[i] - mean[c]) * (x[i] - mean[c]) / count; });
      move(running_mean, p.momentum, 1, mean);
      move(running_var, p.momentum, count / (count - 1), variance);
    } else {
      const Array means(running_mean), variances(running_var);
      for (int64_t c = 0; c < p.channels; ++c) {
        mean[c] = means[c];
        variance[c] = variances[c];
      }
    }
    for (int64_t c = 0; c < p.channels; ++c) inverse[c] = 1 / std::sqrt(variance[c] + p.eps);
  };

  kernels.batch_norm_apply = [](const BatchNormProblem& p, In x, In mean, In inverse, In gamma,
                                In beta, Out y) {
    for_each_element(p, [&](auto c, auto i) {
      y[i] = (x[i] - mean[c]) * inverse[c] * gamma.at(c, 1) + beta.at(c, 0);
    });
  };

  kernels.batch_norm_backward = [](const BatchNormProblem& p, In dy, In x, In mean, In inverse,
                                   In gamma, Out dx, Out dgamma, Out dbeta) {
    const auto normalised = [&](auto c, auto i) { return (x[i] - mean[c]) * inverse[c]; };
    for_each_element(p, [&](auto c, auto i) {
      dgamma[c] += dy[i] * normalised(c, i);
      dbeta[c] += dy[i];
    });
    if (dx.size() == 0) return;
    for_each_element(p, [&](auto c, auto i) {
      const double of_statistics = p.share() * (dbeta[c] + normalised(c, i) * dgamma[c]);
      dx[i] = gamma.at(c, 1) * inverse[c] * (dy[i] - of_statistics);
    });
  };
}

}  // namespace pade::reference
