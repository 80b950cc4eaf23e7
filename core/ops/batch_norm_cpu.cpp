#include <algorithm>
#include <vector>

#include <pade/core/ops/batch_norm_kernels.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

struct TwoSums {
  double first = 0, second = 0;

  TwoSums& operator+=(const TwoSums& other) {
    first += other.first, second += other.second;
    return *this;
  }
};

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

/// A tensor's values, or one value for all channels where it is undefined.
template <class T>
struct PerChannel {
  const T* values;
  T otherwise;

  PerChannel(const Tensor& tensor, T fallback)
      : values(tensor.defined() ? tensor.data<T>() : nullptr), otherwise(fallback) {}
  T operator[](int64_t channel) const { return values ? values[channel] : otherwise; }
};

template <class T>
void statistics(const BatchNormProblem& p, const T* x, double* mean, double* variance) {
  std::vector<double> shifts(p.channels);  // near the means: what is squared stays small
  for (int64_t c = 0; c < p.channels; ++c) shifts[c] = x[c * p.run];
  const std::vector<TwoSums> sums = sum_channels(p, shifts, [=](int64_t i, double shift) {
    const double distance = x[i] - shift;
    return TwoSums{distance, distance * distance};
  });
  const double count = static_cast<double>(p.count());
  for (int64_t c = 0; c < p.channels; ++c) {
    const double distance = sums[c].first / count;
    const double spread = sums[c].second / count - distance * distance;
    mean[c] = shifts[c] + distance;
    variance[c] = spread < 0 ? 0 : spread;  // NaN stays
  }
}

}  // namespace

void batch_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean, Tensor& variance) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    statistics(p, x.data<T>(), mean.mutable_data<double>(), variance.mutable_data<double>());
  });
}

void batch_norm_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const PerChannel<T> scales(gamma, 1), shifts(beta, 0);
    const double *means = mean.data<double>(), *inverses = inverse.data<double>();
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    for_each_run(p, [&](int64_t channel, int64_t at) {
      const T center = static_cast<T>(means[channel]);
      const T scale = static_cast<T>(scales[channel] * inverses[channel]);
      // What the rounding of the mean left over belongs to the shift.
      const T shift = static_cast<T>(shifts[channel] + (center - means[channel]) * scale);
      for (int64_t i = at; i < at + p.run; ++i) out[i] = (in[i] - center) * scale + shift;
    });
  });
}

void batch_norm_sums(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                     const Tensor& mean, const Tensor& inverse, Tensor& dgamma, Tensor& dbeta) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const std::vector<double> means = mean.to_vector<double>();
    const double* inverses = inverse.data<double>();
    const T *upstream = dy.data<T>(), *in = x.data<T>();
    const std::vector<TwoSums> sums = sum_channels(p, means, [=](int64_t i, double center) {
      return TwoSums{upstream[i] * (in[i] - center), upstream[i]};
    });
    double *of_gamma = dgamma.mutable_data<double>(), *of_beta = dbeta.mutable_data<double>();
    for (int64_t c = 0; c < p.channels; ++c) {
      of_gamma[c] = sums[c].first * inverses[c];
      of_beta[c] = sums[c].second;
    }
  });
}

void batch_norm_backward(const BatchNormProblem& p, bool of_batch, const Tensor& dy,
                         const Tensor& x, const Tensor& mean, const Tensor& inverse,
                         const Tensor& gamma, const Tensor& dgamma, const Tensor& dbeta,
                         Tensor& dx) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const PerChannel<T> scales(gamma, 1);
    const double *means = mean.data<double>(), *inverses = inverse.data<double>(),
                 *of_gamma = dgamma.data<double>(), *of_beta = dbeta.data<double>();
    const T *upstream = dy.data<T>(), *in = x.data<T>();
    T* out = dx.mutable_data<T>();
    const double share = of_batch ? 1 / static_cast<double>(p.count()) : 0;
    for_each_run(p, [&](int64_t channel, int64_t at) {
      const double scale = scales[channel] * inverses[channel];
      const T factor = static_cast<T>(scale), center = static_cast<T>(means[channel]);
      const T by_x = static_cast<T>(scale * inverses[channel] * of_gamma[channel] * share);
      const T constant = static_cast<T>(scale * of_beta[channel] * share);
      for (int64_t i = at; i < at + p.run; ++i)
        out[i] = factor * upstream[i] - by_x * (in[i] - center) - constant;
    });
  });
}

}  // namespace pade::cpu
