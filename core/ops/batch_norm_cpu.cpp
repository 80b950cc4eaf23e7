#include <algorithm>
#include <vector>

#include <pade/core/ops/batch_norm_kernels.h>
#include <pade/core/ops/batch_norm_math.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

using norm::TwoSums;

/// For every channel, the sum of term(i, center of the channel) over its elements i. A task sums up
/// a few neighbouring channels of consecutive images, in kWidth partial sums that lie side by side:
/// of the positions in those channels, or, where a run is longer than that, of every kWidth-th.
/// Tasks are then added up in order.
template <class F>
std::vector<TwoSums> sum_channels(const BatchNormProblem& p, const std::vector<double>& centers,
                                  F&& term) {
  constexpr int64_t kWidth = 64;
  const int64_t run = std::max<int64_t>(1, p.run);
  const int64_t channels = std::clamp<int64_t>(kWidth / run, 1, std::max<int64_t>(1, p.channels));
  const int64_t images = std::max<int64_t>(1, kElementBlock / (channels * run));
  const int64_t channel_tasks = blocks_of(p.channels, channels);
  const int64_t image_tasks = blocks_of(p.n, images);
  std::vector<TwoSums> partial(image_tasks * p.channels), sums(p.channels);
  parallel_blocks(image_tasks * channel_tasks, [&](int64_t task) {
    const int64_t first_image = task / channel_tasks * images;
    const int64_t first_channel = task % channel_tasks * channels;
    const int64_t length = std::min(channels, p.channels - first_channel) * p.run;
    auto channel_at = [=](int64_t position) { return first_channel + position % length / run; };
    double first[kWidth] = {}, second[kWidth] = {}, center[kWidth];
    for (int64_t j = 0; j < kWidth && length > 0; ++j) center[j] = centers[channel_at(j)];
    for (int64_t n = first_image; n < std::min(p.n, first_image + images); ++n) {
      const int64_t begin = (n * p.channels + first_channel) * p.run, end = begin + length;
      for (int64_t at = begin; at < end; at += kWidth) {
        const int64_t count = std::min(kWidth, end - at);
        for (int64_t j = 0; j < count; ++j) {
          const TwoSums terms = term(at + j, center[j]);
          first[j] += terms.first;
          second[j] += terms.second;
        }
      }
    }
    TwoSums* totals = partial.data() + task / channel_tasks * p.channels;
    for (int64_t j = 0; j < std::min(kWidth, length); ++j)
      totals[channel_at(j)] += {first[j], second[j]};
  });
  for (size_t i = 0; i < partial.size(); ++i) sums[i % p.channels] += partial[i];
  return sums;
}

/// Calls f(channel, first element) for every run.
template <class F>
void for_each_run(const BatchNormProblem& p, F&& f) {
  const int64_t runs = std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, p.run));
  parallel_for(p.n * p.channels, runs, [&](int64_t begin, int64_t end) {
    int64_t channel = begin % p.channels;
    for (int64_t i = begin; i < end; ++i) {
      f(channel, i * p.run);
      if (++channel == p.channels) channel = 0;
    }
  });
}

template <class T>
norm::PerChannel<T> per_channel(const Tensor& tensor, T otherwise) {
  return {tensor.defined() ? tensor.data<T>() : nullptr, otherwise};
}

}  // namespace

void batch_norm_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>();
    std::vector<double> centers(p.channels);
    for (int64_t c = 0; c < p.channels; ++c) centers[c] = in[c * p.run];
    const std::vector<TwoSums> sums = sum_channels(
        p, centers, [=](int64_t i, double center) { return norm::distance_terms(in[i], center); });
    const norm::StatisticsOutput<T> output{
        static_cast<double>(p.count()),
        p.options.momentum,
        p.options.eps,
        mean.mutable_data<double>(),
        inverse.mutable_data<double>(),
        running_mean.defined() ? running_mean.mutable_data<T>() : nullptr,
        running_var.defined() ? running_var.mutable_data<T>() : nullptr};
    for (int64_t c = 0; c < p.channels; ++c) output.store(c, sums[c], centers[c]);
  });
}

void batch_norm_running_statistics(const BatchNormProblem& p, const Tensor& running_mean,
                                   const Tensor& running_var, Tensor& mean, Tensor& inverse) {
  dispatch_floating(running_mean.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const T *in_mean = running_mean.data<T>(), *in_var = running_var.data<T>();
    double *means = mean.mutable_data<double>(), *inverses = inverse.mutable_data<double>();
    for (int64_t c = 0; c < p.channels; ++c) {
      means[c] = in_mean[c];
      inverses[c] = norm::inverse_deviation(in_var[c], p.options.eps);
    }
  });
}

void batch_norm_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const auto scales = per_channel<T>(gamma, 1), shifts = per_channel<T>(beta, 0);
    const double *means = mean.data<double>(), *inverses = inverse.data<double>();
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    for_each_run(p, [&](int64_t c, int64_t at) {
      const norm::Normalise<T> normalise(means[c], inverses[c], scales[c], shifts[c]);
      for (int64_t i = at; i < at + p.run; ++i) out[i] = normalise(in[i]);
    });
  });
}

void batch_norm_sums(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                     const Tensor& mean, const Tensor& inverse, Tensor& sums, Tensor& dgamma,
                     Tensor& dbeta) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const T *upstream = dy.data<T>(), *in = x.data<T>();
    const std::vector<TwoSums> of_channel = sum_channels(
        p, mean.to_vector<double>(),
        [=](int64_t i, double center) { return norm::gradient_terms(upstream[i], in[i], center); });
    double* of_gamma = sums.mutable_data<double>();
    const norm::GradientOutput<T> output{inverse.data<double>(), of_gamma, of_gamma + p.channels,
                                         dgamma.mutable_data<T>(), dbeta.mutable_data<T>()};
    for (int64_t c = 0; c < p.channels; ++c) output.store(c, of_channel[c]);
  });
}

void batch_norm_backward(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                         const Tensor& mean, const Tensor& inverse, const Tensor& gamma,
                         const Tensor& sums, Tensor& dx) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const auto scales = per_channel<T>(gamma, 1);
    const double *means = mean.data<double>(), *inverses = inverse.data<double>(),
                 *of_gamma = sums.data<double>(), *of_beta = of_gamma + p.channels;
    const T *upstream = dy.data<T>(), *in = x.data<T>();
    T* out = dx.mutable_data<T>();
    for_each_run(p, [&](int64_t c, int64_t at) {
      const norm::Backward<T> backward(means[c], inverses[c], scales[c], of_gamma[c], of_beta[c],
                                       p.share());
      for (int64_t i = at; i < at + p.run; ++i) out[i] = backward(upstream[i], in[i]);
    });
  });
}

}  // namespace pade::cpu
