#include <algorithm>
#include <limits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/batch_norm.h>
#include <pade/core/kernels/cuda/plane_index.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda {
namespace {

using norm::TwoSums;

/// How the channels of [n, channels, run] are summed. A block takes a few neighbouring channels,
/// which are `run` packs each and lie side by side in every image; its threads stand in `rows` ×
/// `columns`, a row for an image. Where a channel is longer than a row, there is one row and one
/// channel, and the row takes several steps for an image.
struct SumPlan {
  int64_t n, channels, run;
  int channels_of_block, rows, columns;
  int64_t steps_of_image, steps;  // a block's way through all images …
  int64_t steps_of_slice;         // … which several blocks share
  unsigned channel_blocks, slices;

  SumPlan(const BatchNormProblem& p, int pack) : n(p.n), channels(p.channels) {
    constexpr int64_t kStepsWorthABlock = 4;
    run = std::max<int64_t>(1, p.run / pack);
    channels_of_block =
        static_cast<int>(std::clamp<int64_t>(kWarpSize / run, 1, std::max<int64_t>(1, channels)));
    const int64_t length = channels_of_block * run;
    steps_of_image = blocks_of(length, kThreads);
    columns = static_cast<int>(blocks_of(length, steps_of_image));
    rows = kThreads / columns;
    if (steps_of_image > 1) rows = 1;
    steps = p.run == 0 ? 0 : blocks_of(n, rows) * steps_of_image;
    const int64_t blocks = blocks_of(channels, channels_of_block);
    const int64_t wanted = blocks > 0 ? blocks_of(kMaxBlocks, blocks) : 1;
    steps_of_slice = std::max(blocks_of(steps, wanted), kStepsWorthABlock);
    channel_blocks = static_cast<unsigned>(blocks);
    slices = static_cast<unsigned>(std::max<int64_t>(1, blocks_of(steps, steps_of_slice)));
  }
};

/// What is summed of x, and where the sums go.
template <class T>
struct Statistics {
  norm::StatisticsOutput<T> output;
  const T* x;
  int64_t run;

  __device__ double center(int64_t channel) const { return x[channel * run]; }
  template <int kSize>
  __device__ void add(TwoSums& sums, int64_t at, double center) const {
    const auto of_x = load_pack<kSize>(x + at);
#pragma unroll
    for (int k = 0; k < kSize; ++k) sums += norm::distance_terms(of_x.values[k], center);
  }
  __device__ void operator()(int64_t channel, const TwoSums& sums) const {
    output.store(channel, sums, center(channel));
  }
};

/// The same of dy and x.
template <class T>
struct Gradients {
  norm::GradientOutput<T> output;
  const T *dy, *x;
  const double* mean;

  __device__ double center(int64_t channel) const { return mean[channel]; }
  template <int kSize>
  __device__ void add(TwoSums& sums, int64_t at, double center) const {
    const auto of_dy = load_pack<kSize>(dy + at), of_x = load_pack<kSize>(x + at);
#pragma unroll
    for (int k = 0; k < kSize; ++k)
      sums += norm::gradient_terms(of_dy.values[k], of_x.values[k], center);
  }
  __device__ void operator()(int64_t channel, const TwoSums& sums) const {
    output.store(channel, sums);
  }
};

/// partials[channel][slice] = the sums of the terms over the slice's part of the channel.
template <int kSize, class Channels>
__global__ void __launch_bounds__(kThreads)
    channel_sums_kernel(SumPlan plan, Channels of, TwoSums* partials) {
  PADE_SHARED(TwoSums, of_thread, [kThreads]);
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / plan.columns, column = thread % plan.columns;
  const int64_t first_channel = static_cast<int64_t>(blockIdx.x) * plan.channels_of_block;
  const int own_channels = static_cast<int>(
      min(static_cast<int64_t>(plan.channels_of_block), plan.channels - first_channel));
  const int width = plan.channels_of_block == 1 ? plan.columns : static_cast<int>(plan.run);
  const int64_t length = own_channels * plan.run;  // of what the block reads of an image

  TwoSums sums{};
  if (row < plan.rows && column < length) {
    int64_t step = blockIdx.y * plan.steps_of_slice;
    const int64_t end = min(step + plan.steps_of_slice, plan.steps);
    int64_t step_of_image = step % plan.steps_of_image;
    int64_t image = step / plan.steps_of_image * plan.rows + row;
    const double center = step < end ? of.center(first_channel + column / width) : 0;
    for (; step < end; ++step) {
      const int64_t place = step_of_image * plan.columns + column;
      if (image < plan.n && place < length)
        of.template add<kSize>(
            sums, ((image * plan.channels + first_channel) * plan.run + place) * kSize, center);
      if (++step_of_image == plan.steps_of_image) {
        step_of_image = 0;
        image += plan.rows;
      }
    }
  }

  of_thread[thread] = sums;
  __syncthreads();
  if (row == 0) {  // columns of the same place
    for (int other = 1; other < plan.rows; ++other)
      sums += of_thread[other * plan.columns + column];
    of_thread[thread] = sums;
  }
  __syncthreads();
  const int lane = thread % kWarpSize;
  for (int c = thread / kWarpSize; c < own_channels; c += kWarps) {
    TwoSums of_channel{};
    for (int k = lane; k < width; k += kWarpSize) of_channel += of_thread[c * width + k];
    of_channel = warp_sum(of_channel);
    if (lane == 0) partials[(first_channel + c) * gridDim.y + blockIdx.y] = of_channel;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    running_statistics_kernel(int64_t channels, double eps, const T* running_mean,
                              const T* running_var, double* mean, double* inverse) {
  for (int64_t c = first_index(); c < channels; c += index_step()) {
    mean[c] = running_mean[c];
    inverse[c] = norm::inverse_deviation(running_var[c], eps);
  }
}

/// In which channel, and at which place of its run, an element is.
struct ChannelLookup {
  int64_t channels, run;
  bool small;
  PlaneIndex images;  // where they are small

  explicit ChannelLookup(const BatchNormProblem& p)
      : channels(p.channels),
        run(p.run),
        small(p.n * channels * run <= std::numeric_limits<int32_t>::max()),
        images(channels, run) {}

  struct Place {
    int64_t channel, of_run;
  };
  __device__ Place at(int64_t i) const {
    if (small) {
      const auto at = images.at(static_cast<int>(i));
      return {at.row, at.column};
    }
    const int64_t line = i / run;
    return {line % channels, i - line * run};
  }
};

template <class T>
struct NormaliseOf {
  using Function = norm::Normalise<T>;
  const double *mean, *inverse;
  norm::PerChannel<T> gamma, beta;

  __device__ Function operator()(int64_t c) const {
    return Function(mean[c], inverse[c], gamma[c], beta[c]);
  }
};

template <class T>
struct BackwardOf {
  using Function = norm::Backward<T>;
  const double *mean, *inverse, *of_gamma, *of_beta;
  norm::PerChannel<T> gamma;
  double share;

  __device__ Function operator()(int64_t c) const {
    return Function(mean[c], inverse[c], gamma[c], of_gamma[c], of_beta[c], share);
  }
};

/// out[i] = f(in[i]…), where f = function_of(the channel of i).
template <class FunctionOf, class T, class... In>
__global__ void __launch_bounds__(kThreads)
    per_channel_kernel(FunctionOf function_of, ChannelLookup lookup, bool packed, int64_t size,
                       T* out, const In*... in) {
  constexpr int kSize = kPackSize<T>;
  for (int64_t i = first_index() * kSize; i < size; i += index_step() * kSize) {
    auto [channel, place] = lookup.at(i);
    typename FunctionOf::Function function = function_of(channel);
    const int64_t count = size - i;
    Pack<T> result;
    auto apply = [&](const auto&... pack) {
#pragma unroll
      for (int k = 0; k < kSize; ++k) {
        if (k > 0 && ++place == lookup.run) {
          place = 0;
          if (++channel == lookup.channels) channel = 0;
          function = function_of(channel);
        }
        result.values[k] = function(pack.values[k]...);
      }
    };
    apply(load_up_to<kSize>(in + i, count, packed)...);
    store_up_to(out + i, count, packed, result);
  }
}

// ---------------------------------------------------------------------------------- launchers

template <class T>
norm::PerChannel<T> values_of(const Tensor& tensor, T otherwise) {
  return {tensor.defined() ? tensor.address<T>() : nullptr, otherwise};
}

template <class T, class Channels>
void sum_channels(const char* op, const BatchNormProblem& p, bool aligned, const Channels& of) {
  const bool packed = aligned && p.run % kPackSize<T> == 0;
  const SumPlan plan(p, packed ? kPackSize<T> : 1);
  Tensor partials = Tensor::empty({p.channels, plan.slices, 2}, DType::float64, Device::cuda);
  auto* sums = reinterpret_cast<TwoSums*>(partials.mutable_address<double>());
  launch(op, dim3(plan.channel_blocks, plan.slices),
         packed ? channel_sums_kernel<kPackSize<T>, Channels> : channel_sums_kernel<1, Channels>,
         plan, of, sums);
  combine_partials(op, sums, p.channels, plan.slices, TwoSums{}, Plus{}, of);
}

template <class FunctionOf, class T, class... In>
void per_channel(const char* op, const FunctionOf& function_of, const BatchNormProblem& p, T* out,
                 const In*... in) {
  const int64_t size = p.n * p.channels * p.run;
  const bool packed = is_pack_aligned(out, in...);
  launch(op, blocks_for(blocks_of(size, kPackSize<T>)), per_channel_kernel<FunctionOf, T, In...>,
         function_of, ChannelLookup(p), packed, size, out, in...);
}

void use_running_statistics(const BatchNormProblem& p, const Tensor& running_mean,
                            const Tensor& running_var, Tensor& mean, Tensor& inverse) {
  dispatch_floating(running_mean.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    launch("batch_norm", blocks_for(p.channels), running_statistics_kernel<T>, p.channels, p.eps,
           running_mean.address<T>(), running_var.address<T>(), mean.mutable_address<double>(),
           inverse.mutable_address<double>());
  });
}

void batch_norm_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var) {
  if (!p.training) return use_running_statistics(p, running_mean, running_var, mean, inverse);
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.address<T>();
    T* const running = running_mean.defined() ? running_mean.mutable_address<T>() : nullptr;
    T* const running_square = running_var.defined() ? running_var.mutable_address<T>() : nullptr;
    const norm::StatisticsOutput<T> output{static_cast<double>(p.count()),
                                           p.momentum,
                                           p.eps,
                                           mean.mutable_address<double>(),
                                           inverse.mutable_address<double>(),
                                           running,
                                           running_square};
    sum_channels<T>("batch_norm", p, is_pack_aligned(in), Statistics<T>{output, in, p.run});
  });
}

void batch_norm_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const NormaliseOf<T> normalise_of{mean.address<double>(), inverse.address<double>(),
                                      values_of<T>(gamma, 1), values_of<T>(beta, 0)};
    per_channel("batch_norm", normalise_of, p, y.mutable_address<T>(), x.address<T>());
  });
}

void sum_gradients(const BatchNormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& mean,
                   const Tensor& inverse, Tensor& sums, Tensor& dgamma, Tensor& dbeta) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const T *dys = dy.address<T>(), *in = x.address<T>();
    double* of_gamma = sums.mutable_address<double>();
    const norm::GradientOutput<T> output{inverse.address<double>(), of_gamma, of_gamma + p.channels,
                                         dgamma.mutable_address<T>(), dbeta.mutable_address<T>()};
    sum_channels<T>("backward of batch_norm", p, is_pack_aligned(in, dys),
                    Gradients<T>{output, dys, in, mean.address<double>()});
  });
}

void backward_to_x(const BatchNormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& mean,
                   const Tensor& inverse, const Tensor& gamma, const Tensor& sums, Tensor& dx) {
  dispatch_floating(x.dtype(), "batch_norm", [&](auto zero) {
    using T = decltype(zero);
    const double* of_gamma = sums.address<double>();
    const BackwardOf<T> backward_of{mean.address<double>(), inverse.address<double>(), of_gamma,
                                    of_gamma + p.channels,  values_of<T>(gamma, 1),    p.share()};
    per_channel("backward of batch_norm", backward_of, p, dx.mutable_address<T>(), dy.address<T>(),
                x.address<T>());
  });
}

void batch_norm_backward(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                         const Tensor& mean, const Tensor& inverse, const Tensor& gamma, Tensor& dx,
                         Tensor& dgamma, Tensor& dbeta) {
  Tensor sums = Tensor::empty({2, p.channels}, DType::float64, x.device());
  sum_gradients(p, dy, x, mean, inverse, sums, dgamma, dbeta);
  if (dx.defined()) backward_to_x(p, dy, x, mean, inverse, gamma, sums, dx);
}

}  // namespace

void add_batch_norm(Kernels& kernels) {
  kernels.batch_norm_statistics = batch_norm_statistics;
  kernels.batch_norm_apply = batch_norm_apply;
  kernels.batch_norm_backward = batch_norm_backward;
}

}  // namespace pade::cuda
