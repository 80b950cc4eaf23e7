#include <cmath>
#include <utility>
#include <vector>

#include <pade/core/distributed/sync_batch_norm.h>
#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/operands.h>
#include <pade/core/tape.h>

namespace pade {
namespace {

/// Replaces this rank's statistics, float64 [C], by those of all ranks together, and moves the
/// running ones towards them. Returns the number of values per channel.
double join_statistics(const BatchNormProblem& p, Tensor& mean, Tensor& inverse,
                       Tensor& running_mean, Tensor& running_var, Communicator& ranks) {
  const auto channels = static_cast<size_t>(p.channels);
  const auto count = static_cast<double>(p.count());
  const std::vector<double> means = mean.to_vector<double>(),
                            inverses = inverse.to_vector<double>();
  const auto summed = [&](const std::vector<double>& values) {
    const Tensor sums = Tensor::from(values, {std::ssize(values)});
    ranks.all_reduce(sums);
    return sums.to_vector<double>();
  };
  std::vector<double> sums(channels + 1, count);
  for (size_t c = 0; c < channels; ++c) sums[c] = count * means[c];
  std::vector<double> new_mean = summed(sums);
  const double total = new_mean[channels];
  new_mean.pop_back();
  for (double& value : new_mean) value /= total;

  // Around the common mean: the difference of two large sums would cost digits.
  sums.resize(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double variance = 1 / (inverses[c] * inverses[c]) - p.eps,
                 offset = means[c] - new_mean[c];
    sums[c] = count * (variance + offset * offset);
  }
  std::vector<double> new_inverse = summed(sums), unbiased(new_inverse);
  for (size_t c = 0; c < channels; ++c) {
    unbiased[c] /= total - 1;
    new_inverse[c] = 1 / std::sqrt(new_inverse[c] / total + p.eps);
  }
  mean.copy_(Tensor::from(new_mean, {p.channels}));
  inverse.copy_(Tensor::from(new_inverse, {p.channels}));
  const auto move = [&](Tensor& running, const std::vector<double>& towards) {
    if (!running.defined()) return;
    running.mul_(1 - p.momentum);
    running.add_(Tensor::from(towards, {p.channels}).to(running.dtype()).to(running.device()),
                 p.momentum);
  };
  move(running_mean, new_mean);
  move(running_var, unbiased);
  return total;
}

}  // namespace

Tensor sync_batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                       Tensor running_mean, Tensor running_var, BatchNormOptions options,
                       Communicator& ranks) {
  if (!options.training || ranks.size() == 1)
    return batch_norm(x, gamma, beta, running_mean, running_var, options);
  check_floating("sync_batch_norm", {"x", x});
  check(x.rank() >= 2, "sync_batch_norm: expected [N, C, …], got ", x.shape());
  for (const auto& [name, tensor] : {std::pair("gamma", &gamma),
                                     {"beta", &beta},
                                     {"running_mean", &running_mean},
                                     {"running_var", &running_var}})
    if (tensor->defined()) check_vector("sync_batch_norm", {"x", x}, {name, *tensor}, x.extent(1));
  const BatchNormProblem p{x.extent(0), x.extent(1),      x.shape().size_from(2),
                           true,        options.momentum, options.eps};
  check(p.count() >= 1, "sync_batch_norm: there are no values, got input ", x.shape());

  Tensor mean = Tensor::empty({p.channels}, DType::float64, x.device()),
         inverse = Tensor::empty_like(mean), none;
  kernels_of(x).batch_norm_statistics(p, x, mean, inverse, none, none);
  const double total = join_statistics(p, mean, inverse, running_mean, running_var, ranks);
  Tensor y = Tensor::empty_like(x);
  kernels_of(x).batch_norm_apply(p, x, mean, inverse, gamma, beta, y);
  record("sync_batch_norm", {&x, &gamma, &beta}, y, {&x, &gamma, &mean, &inverse},
         [p, total, &ranks](Gradients& gradients) {
           const Tensor &x = gradients.saved(0), &gamma = gradients.saved(1),
                        &mean = gradients.saved(2), &inverse = gradients.saved(3);
           // As if the statistics were constants …
           BatchNormProblem constant = p;
           constant.training = false;
           Tensor dx = Tensor::empty_like(x), dgamma = empty_beside(x, {p.channels}),
                  dbeta = Tensor::empty_like(dgamma);
           kernels_of(x).batch_norm_backward(constant, gradients.of_output(), x, mean, inverse,
                                             gamma, dx, dgamma, dbeta);
           gradients.set(1, dgamma);
           gradients.set(2, dbeta);
           // … and then what goes through them, as batch_norm_backward has it for one rank:
           // gamma · inverse · (dbeta + (x − mean) · inverse · dgamma) / count, with all ranks'
           // sums.
           const auto shared = [&](const Tensor& gradient) {
             Tensor sum = gradient.to(DType::float64).clone();
             ranks.all_reduce(sum);
             sum = sum * inverse * (1 / total);
             if (gamma.defined()) sum = sum * gamma.to(DType::float64);
             return sum.to(x.dtype());
           };
           const Tensor slope = shared(dgamma), offset = shared(dbeta);
           Tensor through_statistics = Tensor::empty_like(x);
           kernels_of(x).batch_norm_apply(p, x, mean, inverse, slope, offset, through_statistics);
           gradients.set(0, dx.add_(through_statistics, -1));
         });
  return y;
}

}  // namespace pade
