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

/// Images per block, so that a block of one channel has about kElementBlock elements.
int64_t images_per_block(const BatchNormProblem& p) {
  return std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, p.run));
}

/// For every channel the sum of of_run(channel, first element of a run) over its runs; blocks of
/// runs are summed on their own and then in order.
template <class F>
std::vector<TwoSums> sum_channels(const BatchNormProblem& p, F&& of_run) {
  const int64_t images = images_per_block(p), blocks = blocks_of(p.n, images);
  std::vector<TwoSums> partial(p.channels * blocks), sums(p.channels);
  parallel_blocks(p.channels * blocks, [&](int64_t task) {
    const int64_t channel = task / blocks, begin = task % blocks * images;
    for (int64_t n = begin; n < std::min(p.n, begin + images); ++n)
      partial[task] += of_run(channel, (n * p.channels + channel) * p.run);
  });
  for (int64_t task = 0; task < p.channels * blocks; ++task) sums[task / blocks] += partial[task];
  return sums;
}

/// Calls f(channel, first element) for every run.
template <class F>
void for_each_run(const BatchNormProblem& p, F&& f) {
  const int64_t runs = images_per_block(p);
  parallel_for(p.n * p.channels, runs, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i % p.channels, i * p.run);
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
  const std::vector<TwoSums> sums = sum_channels(p, [&](int64_t channel, int64_t at) {
    const double shift = x[channel * p.run];  // near the mean: what is squared stays small
    double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum, squares)
    for (int64_t i = at; i < at + p.run; ++i) {
      const double distance = x[i] - shift;
      sum += distance;
      squares += distance * distance;
    }
    return TwoSums{sum, squares};
  });
  const double count = static_cast<double>(p.count());
  for (int64_t channel = 0; channel < p.channels; ++channel) {
    const double distance = sums[channel].first / count;
    mean[channel] = x[channel * p.run] + distance;
    variance[channel] = std::max(0.0, sums[channel].second / count - distance * distance);
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
    const double *means = mean.data<double>(), *inverses = inverse.data<double>();
    const T *upstream = dy.data<T>(), *in = x.data<T>();
    const std::vector<TwoSums> sums = sum_channels(p, [&](int64_t channel, int64_t at) {
      const double center = means[channel];
      double with_x = 0, alone = 0;
#pragma omp simd reduction(+ : with_x, alone)
      for (int64_t i = at; i < at + p.run; ++i) {
        with_x += upstream[i] * (in[i] - center);
        alone += upstream[i];
      }
      return TwoSums{with_x, alone};
    });
    double *of_gamma = dgamma.mutable_data<double>(), *of_beta = dbeta.mutable_data<double>();
    for (int64_t channel = 0; channel < p.channels; ++channel) {
      of_gamma[channel] = sums[channel].first * inverses[channel];
      of_beta[channel] = sums[channel].second;
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
