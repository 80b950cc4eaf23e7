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

template <class T>
std::vector<norm::Normalise<T>> normalise_channels(const BatchNormProblem& p, const Tensor& mean,
                                                   const Tensor& inverse, const Tensor& gamma,
                                                   const Tensor& beta) {
  const auto scales = per_channel<T>(gamma, 1), shifts = per_channel<T>(beta, 0);
  const double *means = mean.data<double>(), *inverses = inverse.data<double>();
  std::vector<norm::Normalise<T>> channels;
  for (int64_t c = 0; c < p.channels; ++c)
    channels.emplace_back(means[c], inverses[c], scales[c], shifts[c]);
  return channels;
}

/// Blocks of whole runs, each with a slot for every channel that it meets.
class RunBlocks {
 public:
  explicit RunBlocks(const BatchNormProblem& p)
      : p_(p), runs_(std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, p.run))) {}

  int64_t count() const { return p_.run ? blocks_of(p_.n * p_.channels, runs_) : 0; }
  int64_t channels() const { return std::min(runs_, p_.channels); }
  int64_t slot(int64_t block, int64_t run) const {
    return block * channels() + (run - block * runs_) % channels();
  }
  /// f(begin, count) for the elements of a block.
  template <class F>
  void for_each_strip(int64_t block, F&& f) const {
    const int64_t end = std::min((block + 1) * runs_, p_.n * p_.channels) * p_.run;
    for (int64_t begin = block * runs_ * p_.run; begin < end; begin += kStrip)
      f(begin, std::min(kStrip, end - begin));
  }
  /// f(slot, channel), block after block.
  template <class F>
  void for_each_slot(F&& f) const {
    for (int64_t block = 0; block < count(); ++block) {
      const int64_t first = block * runs_;
      const int64_t met = std::min(channels(), p_.n * p_.channels - first);
      for (int64_t i = 0; i < met; ++i) f(slot(block, first + i), (first + i) % p_.channels);
    }
  }

 private:
  const BatchNormProblem& p_;
  int64_t runs_;  // per block
};

/// f(channel, first element, end) for the parts of a strip that are of one run.
template <class F>
void for_each_piece(const BatchNormProblem& p, int64_t begin, int64_t count, F&& f) {
  int64_t run = begin / p.run, channel = run % p.channels;
  for (int64_t at = begin, stop; at < begin + count; at = stop) {
    stop = std::min(begin + count, (run + 1) * p.run);
    f(channel, at, stop);
    ++run;
    if (++channel == p.channels) channel = 0;
  }
}

template <class T>
void normalise_strip(const BatchNormProblem& p, const std::vector<norm::Normalise<T>>& channels,
                     const T* x, int64_t begin, int64_t count, T* normalised) {
  for_each_piece(p, begin, count, [&](int64_t channel, int64_t at, int64_t end) {
    const norm::Normalise<T> normalise = channels[channel];
    for (int64_t i = at; i < end; ++i) normalised[i - begin] = normalise(x[i]);
  });
}

/// Of norm::gradient_terms(), around `center`.
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

/// From sums of norm::gradient_terms() whose center was the mean in x's precision.
template <class T>
void store_gradients(const BatchNormProblem& p, const std::vector<TwoSums>& of_channels,
                     const Tensor& mean, const Tensor& inverse, Tensor& sums, Tensor& dgamma,
                     Tensor& dbeta) {
  const double* means = mean.data<double>();
  double* of_gamma = sums.mutable_data<double>();
  const norm::GradientOutput<T> output{inverse.data<double>(), of_gamma, of_gamma + p.channels,
                                       dgamma.mutable_data<T>(), dbeta.mutable_data<T>()};
  for (int64_t c = 0; c < p.channels; ++c) {
    const TwoSums& of_channel = of_channels[c];
    const double center = static_cast<T>(means[c]);
    output.store(c,
                 {of_channel.first + (center - means[c]) * of_channel.second, of_channel.second});
  }
}

/// Writes results of strips past the caches, where there are so many that they do not stay there.
template <class T>
class StripWriter {
 public:
  /// `compute_bound`: stores are not what it waits for, and gain nothing.
  StripWriter(const BatchNormProblem& p, T* to, bool compute_bound)
      : to_(to), streams_(!compute_bound && is_streamed<T>(p.n * p.channels * p.run, p.run)) {}
  /// f(results): fills a strip of `count`, here or in its place in the tensor.
  template <class F>
  void write(int64_t begin, int64_t count, F&& f) const {
    if (!streams_) return f(to_ + begin);
    T strip[kStrip];
    f(strip);
    for (int64_t i = 0; i < count; i += kLaneCount<T>)
      stream_lanes<T>(to_ + begin + i, load_lanes(strip + i));
  }
  void finish() const {
    if (streams_) finish_streaming();
  }

 private:
  T* to_;
  bool streams_;
};

void batch_norm_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>();
    std::vector<double> centers(p.channels);
    for (int64_t c = 0; c < p.channels; ++c) centers[c] = in[c * p.run];
    const std::vector<TwoSums> sums =
        sum_channels<T>(p, centers, [=](int64_t i, T center, T& distances, T& squares) {
          const T distance = in[i] - center;
          distances += distance;
          squares += distance * distance;
        });
    const norm::StatisticsOutput<T> output{
        static_cast<double>(p.count()),
        p.momentum,
        p.eps,
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
      inverses[c] = norm::inverse_deviation(in_var[c], p.eps);
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
    const T *dys = dy.data<T>(), *in = x.data<T>();
    const std::vector<TwoSums> of_channel =
        sum_channels<T>(p, mean.to_vector<double>(), [=](int64_t i, T center, T& by_x, T& sum) {
          by_x += dys[i] * (in[i] - center);
          sum += dys[i];
        });
    store_gradients<T>(p, of_channel, mean, inverse, sums, dgamma, dbeta);
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
    const T *dys = dy.data<T>(), *in = x.data<T>();
    T* out = dx.mutable_data<T>();
    for_each_run(p, [&](int64_t c, int64_t at) {
      const norm::Backward<T> backward(means[c], inverses[c], scales[c], of_gamma[c], of_beta[c],
                                       p.share());
#pragma omp simd  // out may be dys
      for (int64_t i = at; i < at + p.run; ++i) out[i] = backward(dys[i], in[i]);
    });
  });
}

void norm_act_forward(const BatchNormProblem& p, const ElementwiseProblem& f, const Tensor& x,
                      const Tensor& mean, const Tensor& inverse, const Tensor& gamma,
                      const Tensor& beta, std::span<const Tensor> parameters, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const auto function = std::move(strip_functions<T>(f, parameters, false)[0]);
    const auto channels = normalise_channels<T>(p, mean, inverse, gamma, beta);
    const T* in = x.data<T>();
    const StripWriter<T> writer(p, y.mutable_data<T>(), false);
    const RunBlocks blocks(p);
    parallel_blocks(blocks.count(), [&](int64_t block) {
      T normalised[kStrip];
      blocks.for_each_strip(block, [&](int64_t begin, int64_t count) {
        normalise_strip(p, channels, in, begin, count, normalised);
        writer.write(begin, count,
                     [&](T* results) { function->forward(normalised, results, count); });
      });
      writer.finish();
    });
  });
}

void norm_act_backward(const BatchNormProblem& p, const ElementwiseProblem& f, const Tensor& dy,
                       const Tensor& x, const Tensor& mean, const Tensor& inverse,
                       const Tensor& gamma, const Tensor& beta, std::span<const Tensor> parameters,
                       Tensor& dx, Tensor& dgamma, Tensor& dbeta, std::span<Tensor> gradients) {
  Tensor sums = Tensor::empty({2, p.channels}, DType::float64);
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const auto function = std::move(strip_functions<T>(f, parameters, !gradients.empty())[0]);
    const auto channels = normalise_channels<T>(p, mean, inverse, gamma, beta);
    const T *in = x.data<T>(), *dys = dy.data<T>();
    const int64_t width = function->sum_count();
    // The gradient of what f was applied to. Sums take longer than its stores.
    const StripWriter<T> writer(p, dx.mutable_data<T>(), width > 0);
    const RunBlocks blocks(p);
    std::vector<TwoSums> of_channels(blocks.count() * blocks.channels());
    Scratch<double> of_f(blocks.count() * width);
    parallel_blocks(blocks.count(), [&](int64_t block) {
      T normalised[kStrip];
      double* const of_block = of_f.data() + block * width;
      std::fill_n(of_block, width, 0.0);
      blocks.for_each_strip(block, [&](int64_t begin, int64_t count) {
        normalise_strip(p, channels, in, begin, count, normalised);
        writer.write(begin, count, [&](T* results) {
          function->backward(normalised, dys + begin, results, count, of_block);
          for_each_piece(p, begin, count, [&](int64_t channel, int64_t at, int64_t end) {
            of_channels[blocks.slot(block, at / p.run)] +=
                gradient_sums(channels[channel].center, in + at, results + (at - begin), end - at);
          });
        });
      });
      writer.finish();
    });
    std::vector<TwoSums> totals(p.channels);
    blocks.for_each_slot(
        [&](int64_t slot, int64_t channel) { totals[channel] += of_channels[slot]; });
    store_gradients<T>(p, totals, mean, inverse, sums, dgamma, dbeta);
    if (gradients.empty()) return;
    alignas(kLaneBytes) double sums_of_f[kMostSums] = {};
    for (int64_t block = 0; block < blocks.count(); ++block)
      for (int64_t i = 0; i < width; ++i) sums_of_f[i] += of_f.data()[block * width + i];
    double learned[kMostLearned];
    function->total(sums_of_f, learned);
    function->finish(learned, gradients);
  });
  batch_norm_backward(p, dx, x, mean, inverse, gamma, sums, dx);
}

}  // namespace

void add_batch_norm(Kernels& kernels) {
  kernels.batch_norm_statistics = batch_norm_statistics;
  kernels.batch_norm_running_statistics = batch_norm_running_statistics;
  kernels.batch_norm_apply = batch_norm_apply;
  kernels.batch_norm_sums = batch_norm_sums;
  kernels.batch_norm_backward = batch_norm_backward;
  kernels.norm_act_forward = norm_act_forward;
  kernels.norm_act_backward = norm_act_backward;
}

}  // namespace pade::cpu
