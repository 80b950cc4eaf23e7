#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <pade/core/kernels/cpu/elementwise.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/kernels/math/batch_norm.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

using norm::TwoSums;

/// For every channel, two sums over its elements i, to which add(i, center of the channel, first,
/// second) adds. A task sums up a few neighbouring channels of consecutive images, in kWidth
/// partial sums that lie side by side: of the positions in those channels, or, where a run is
/// longer than that, of every kWidth-th. They are of x's precision, and never of more than kAtOnce
/// elements. Tasks are then added up in order.
template <class T, class F>
std::vector<TwoSums> sum_channels(const BatchNormProblem& p, const std::vector<double>& centers,
                                  F&& add) {
  constexpr int64_t kWidth = 64, kAtOnce = 16;
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
    T first[kWidth] = {}, second[kWidth] = {}, center[kWidth];
    for (int64_t j = 0; j < kWidth && length > 0; ++j)
      center[j] = static_cast<T>(centers[channel_at(j)]);
    TwoSums totals[kWidth] = {};
    auto flush = [&] {
      for (int64_t j = 0; j < kWidth; ++j) {
        totals[j] += {first[j], second[j]};
        first[j] = second[j] = 0;
      }
    };
    int64_t elements = 0;  // of each sum
    for (int64_t n = first_image; n < std::min(p.n, first_image + images); ++n) {
      const int64_t begin = (n * p.channels + first_channel) * p.run, end = begin + length;
      for (int64_t at = begin; at < end; at += kWidth) {
        const int64_t count = std::min(kWidth, end - at);
#pragma omp simd
        for (int64_t j = 0; j < count; ++j) add(at + j, center[j], first[j], second[j]);
        if (++elements % kAtOnce == 0) flush();
      }
    }
    flush();
    TwoSums* of_channels = partial.data() + task / channel_tasks * p.channels;
    for (int64_t j = 0; j < std::min(kWidth, length); ++j) of_channels[channel_at(j)] += totals[j];
  });
  for (size_t i = 0; i < partial.size(); ++i) sums[i % p.channels] += partial[i];
  return sums;
}

/// How many runs make a block, and its elements.
int64_t runs_of_block(const BatchNormProblem& p) {
  return std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, p.run));
}
int64_t block_size(const BatchNormProblem& p) {
  return runs_of_block(p) * std::max<int64_t>(1, p.run);
}

/// f(channel, first element, end) for the parts of [begin, end) that are of one run.
template <class F>
void for_each_piece(const BatchNormProblem& p, int64_t begin, int64_t end, F&& f) {
  int64_t run = begin / p.run, channel = run % p.channels;
  for (int64_t at = begin, stop; at < end; at = stop) {
    stop = std::min(end, (run + 1) * p.run);
    f(channel, at, stop);
    ++run;
    if (++channel == p.channels) channel = 0;
  }
}

/// Calls f(channel, first element, end) for every run.
template <class F>
void for_each_run(const BatchNormProblem& p, F&& f) {
  parallel_for(p.n * p.channels * p.run, block_size(p),
               [&](int64_t begin, int64_t end) { for_each_piece(p, begin, end, f); });
}

template <class T>
std::vector<norm::Normalise<T>> normalise_channels(const BatchNormProblem& p,
                                                   const norm::NormaliseOf<T>& normalise_of) {
  std::vector<norm::Normalise<T>> channels;
  for (int64_t c = 0; c < p.channels; ++c) channels.push_back(normalise_of(c));
  return channels;
}

/// Calls f(block, first element, count, normalised x, results) for all strips of blocks of whole
/// runs; f fills the results, which go past the caches where there are so many that they do not
/// stay there. `compute_bound`: stores are not what f waits for, and gain nothing.
template <class T, class F>
void for_each_strip(const BatchNormProblem& p, const std::vector<norm::Normalise<T>>& channels,
                    const T* x, T* to, bool compute_bound, F&& f) {
  const int64_t size = p.n * p.channels * p.run, block = block_size(p);
  const bool streams = !compute_bound && is_streamed<T>(size, p.run);
  parallel_for(size, block, [&](int64_t first, int64_t last) {
    T normalised[kStrip], strip[kStrip];
    for (int64_t begin = first; begin < last; begin += kStrip) {
      const int64_t count = std::min(kStrip, last - begin);
      for_each_piece(p, begin, begin + count, [&](int64_t channel, int64_t at, int64_t end) {
        const norm::Normalise<T> normalise = channels[channel];
        for (int64_t i = at; i < end; ++i) normalised[i - begin] = normalise(x[i]);
      });
      f(first / block, begin, count, normalised, streams ? strip : to + begin);
      for (int64_t i = 0; streams && i < count; i += kLaneCount<T>)
        stream_lanes<T>(to + begin + i, load_lanes(strip + i));
    }
    if (streams) finish_streaming();
  });
}

/// Of norm::GradientTerms, around `center`.
template <class T>
TwoSums gradient_sums(T center, const T* x, const T* dy, int64_t count) {
  T by_x = 0, sum = 0;
#pragma omp simd reduction(+ : by_x, sum)
  for (int64_t i = 0; i < count; ++i) {
    by_x += dy[i] * (x[i] - center);
    sum += dy[i];
  }
  return {by_x, sum};
}

/// From sums of norm::GradientTerms whose center was the mean in x's precision.
template <class T>
void store_gradients(const BatchNormProblem& p, const std::vector<TwoSums>& of_channels,
                     const Tensor& mean, const Tensor& inverse, Tensor& sums, Tensor& dgamma,
                     Tensor& dbeta) {
  const double* means = mean.data<double>();
  const norm::GradientOutput<T> output(p, inverse, sums, dgamma, dbeta);
  for (int64_t c = 0; c < p.channels; ++c) {
    const TwoSums& of_channel = of_channels[c];
    const double center = static_cast<T>(means[c]);
    output.store(c,
                 {of_channel.first + (center - means[c]) * of_channel.second, of_channel.second});
  }
}

void use_running_statistics(const BatchNormProblem& p, const Tensor& running_mean,
                            const Tensor& running_var, Tensor& mean, Tensor& inverse) {
  dispatch_floating(running_mean.dtype(), "batch_norm", [&]<class T>(T) {
    const T *in_mean = running_mean.data<T>(), *in_var = running_var.data<T>();
    double *means = mean.mutable_data<double>(), *inverses = inverse.mutable_data<double>();
    for (int64_t c = 0; c < p.channels; ++c) {
      means[c] = in_mean[c];
      inverses[c] = norm::inverse_deviation(in_var[c], p.eps);
    }
  });
}

void batch_norm_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var) {
  if (!p.training) return use_running_statistics(p, running_mean, running_var, mean, inverse);
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const T* in = x.data<T>();
    std::vector<double> centers(p.channels);
    for (int64_t c = 0; c < p.channels; ++c) centers[c] = in[c * p.run];
    const std::vector<TwoSums> sums =
        sum_channels<T>(p, centers, [=](int64_t i, T center, T& distances, T& squares) {
          const T distance = in[i] - center;
          distances += distance;
          squares += distance * distance;
        });
    const norm::StatisticsOutput<T> output(p, mean, inverse, running_mean, running_var);
    for (int64_t c = 0; c < p.channels; ++c) output.store(c, sums[c], centers[c]);
  });
}

void batch_norm_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const auto channels = normalise_channels<T>(p, {mean, inverse, gamma, beta});
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    for_each_run(p, [&](int64_t c, int64_t begin, int64_t end) {
      const norm::Normalise<T> normalise = channels[c];
      for (int64_t i = begin; i < end; ++i) out[i] = normalise(in[i]);
    });
  });
}

void sum_gradients(const BatchNormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& mean,
                   const Tensor& inverse, Tensor& sums, Tensor& dgamma, Tensor& dbeta) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const T *dys = dy.data<T>(), *in = x.data<T>();
    const std::vector<TwoSums> of_channel =
        sum_channels<T>(p, mean.to_vector<double>(), [=](int64_t i, T center, T& by_x, T& sum) {
          by_x += dys[i] * (in[i] - center);
          sum += dys[i];
        });
    store_gradients<T>(p, of_channel, mean, inverse, sums, dgamma, dbeta);
  });
}

void backward_to_x(const BatchNormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& mean,
                   const Tensor& inverse, const Tensor& gamma, const Tensor& sums, Tensor& dx) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const norm::BackwardOf<T> backward_of(p, mean, inverse, gamma, sums);
    const T *dys = dy.data<T>(), *in = x.data<T>();
    T* out = dx.mutable_data<T>();
    for_each_run(p, [&](int64_t c, int64_t begin, int64_t end) {
      const norm::Backward<T> backward = backward_of(c);
#pragma omp simd  // out may be dys
      for (int64_t i = begin; i < end; ++i) out[i] = backward(dys[i], in[i]);
    });
  });
}

void batch_norm_backward(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                         const Tensor& mean, const Tensor& inverse, const Tensor& gamma, Tensor& dx,
                         Tensor& dgamma, Tensor& dbeta) {
  Tensor sums = Tensor::empty({2, p.channels}, DType::float64, x.device());
  sum_gradients(p, dy, x, mean, inverse, sums, dgamma, dbeta);
  if (dx.defined()) backward_to_x(p, dy, x, mean, inverse, gamma, sums, dx);
}

void norm_act_forward(const BatchNormProblem& p, const ElementwiseProblem& f, const Tensor& x,
                      const Tensor& mean, const Tensor& inverse, const Tensor& gamma,
                      const Tensor& beta, std::span<const Tensor> parameters, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const auto function = std::move(strip_functions<T>(f, parameters, {})[0]);
    const auto channels = normalise_channels<T>(p, {mean, inverse, gamma, beta});
    for_each_strip(p, channels, x.data<T>(), y.mutable_data<T>(), false,
                   [&](int64_t, int64_t, int64_t count, const T* normalised, T* results) {
                     function->forward(normalised, results, count);
                   });
  });
}

void norm_act_backward(const BatchNormProblem& p, const ElementwiseProblem& f, const Tensor& dy,
                       const Tensor& x, const Tensor& mean, const Tensor& inverse,
                       const Tensor& gamma, const Tensor& beta, std::span<const Tensor> parameters,
                       Tensor& dx, Tensor& dgamma, Tensor& dbeta, std::span<Tensor> gradients) {
  Tensor sums = Tensor::empty({2, p.channels}, DType::float64);
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const auto function =
        std::move(strip_functions<T>(f, parameters, {.learns = !gradients.empty()})[0]);
    const auto channels = normalise_channels<T>(p, {mean, inverse, gamma, beta});
    const T *in = x.data<T>(), *dys = dy.data<T>();
    const int64_t width = function->sum_count();
    // A block of runs has a place for every channel that it meets.
    const int64_t all_runs = p.n * p.channels, runs = runs_of_block(p);
    const int64_t blocks = blocks_of(all_runs, runs), places = std::min(runs, p.channels);
    std::vector<TwoSums> of_channels(blocks * places);
    Scratch<double> of_f(blocks * width);
    std::fill_n(of_f.data(), blocks * width, 0.0);
    // The gradient of what f was applied to. Sums take longer than its stores.
    for_each_strip(
        p, channels, in, dx.mutable_data<T>(), width > 0,
        [&](int64_t block, int64_t begin, int64_t count, const T* normalised, T* results) {
          function->backward(normalised, dys + begin, results, count, of_f.data() + block * width);
          for_each_piece(p, begin, begin + count, [&](int64_t channel, int64_t at, int64_t end) {
            of_channels[block * places + at / p.run % runs % places] +=
                gradient_sums(channels[channel].center, in + at, results + (at - begin), end - at);
          });
        });
    std::vector<TwoSums> totals(p.channels);
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t i = 0; i < std::min(places, all_runs - block * runs); ++i)
        totals[(block * runs + i) % p.channels] += of_channels[block * places + i];
    store_gradients<T>(p, totals, mean, inverse, sums, dgamma, dbeta);
    if (gradients.empty()) return;
    alignas(kLaneBytes) double sums_of_f[kMostSums] = {};
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t i = 0; i < width; ++i) sums_of_f[i] += of_f.data()[block * width + i];
    double learned[kMostLearned];
    function->total(sums_of_f, learned);
    function->finish(learned, gradients);
  });
  backward_to_x(p, dx, x, mean, inverse, gamma, sums, dx);
}

}  // namespace

void add_batch_norm(Kernels& kernels) {
  kernels.batch_norm_statistics = batch_norm_statistics;
  kernels.batch_norm_apply = batch_norm_apply;
  kernels.batch_norm_backward = batch_norm_backward;
  kernels.norm_act_forward = norm_act_forward;
  kernels.norm_act_backward = norm_act_backward;
}

}  // namespace pade::cpu
