#include <algorithm>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/batch_norm.h>
#include <pade/core/kernels/math/index_lookup.h>
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
  int64_t channels_of_block;
  int rows, columns;
  int64_t steps_of_image, steps;  // a block's way through all images …
  int64_t steps_of_slice;         // … which several blocks share
  unsigned channel_blocks, slices;

  SumPlan(const BatchNormProblem& p, int pack) : n(p.n), channels(p.channels) {
    constexpr int64_t kStepsWorthABlock = 4;
    run = std::max<int64_t>(1, p.run / pack);
    channels_of_block = std::clamp<int64_t>(kWarpSize / run, 1, std::max<int64_t>(1, channels));
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

/// What a channel's terms take distances to, and where their sums go.
template <class T>
struct Statistics {
  norm::StatisticsOutput<T> output;
  const T* x;
  int64_t run;

  __device__ double center(int64_t channel) const { return x[channel * run]; }
  __device__ void operator()(int64_t channel, const TwoSums& sums) const {
    output.store(channel, sums, center(channel));
  }
};

template <class T>
struct Gradients {
  norm::GradientOutput<T> output;
  const double* mean;

  __device__ double center(int64_t channel) const { return mean[channel]; }
  __device__ void operator()(int64_t channel, const TwoSums& sums) const {
    output.store(channel, sums);
  }
};

/// partials[channel][slice] = the sums of the terms over the slice's part of the channel.
template <int kSize, class Terms, class Channels, class... In>
__global__ void __launch_bounds__(kThreads)
    channel_sums_kernel(SumPlan plan, Terms terms, Channels of, TwoSums* partials,
                        const In*... in) {
  PADE_SHARED(TwoSums, of_thread, [kThreads]);
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / plan.columns, column = thread % plan.columns;
  const int64_t first_channel = blockIdx.x * plan.channels_of_block;
  const int64_t own_channels = min(plan.channels_of_block, plan.channels - first_channel);
  const int width = plan.channels_of_block == 1 ? plan.columns : static_cast<int>(plan.run);
  const int64_t length = own_channels * plan.run;  // of what the block reads of an image

  TwoSums sums{};
  if (row < plan.rows && column < length) {
    int64_t step = blockIdx.y * plan.steps_of_slice;
    const int64_t end = min(step + plan.steps_of_slice, plan.steps);
    int64_t step_of_image = step % plan.steps_of_image;
    int64_t image = step / plan.steps_of_image * plan.rows + row;
    const double center = step < end ? of.center(first_channel + column / width) : 0;
    const auto add = [&](const auto&... packs) {
#pragma unroll
      for (int k = 0; k < kSize; ++k) sums += terms(center, packs.values[k]...);
    };
    for (; step < end; ++step) {
      const int64_t place = step_of_image * plan.columns + column;
      const int64_t at = ((image * plan.channels + first_channel) * plan.run + place) * kSize;
      if (image < plan.n && place < length) add(load_pack<kSize>(in + at)...);
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

/// out[i] = f(in[i]…), where f = function_of(the channel of i). The lookup has the channel and the
/// place in its run, counted from the first ones.
template <class FunctionOf, class T, class... In>
__global__ void __launch_bounds__(kThreads)
    per_channel_kernel(FunctionOf function_of, LookupNest<2> lookup, int64_t first_channel,
                       int64_t first_place, int64_t channels, int64_t run, bool packed, T* out,
                       const In*... in) {
  constexpr int kSize = kPackSize<T>;
  const int64_t size = lookup.size();
  for (int64_t i = first_index() * kSize; i < size; i += index_step() * kSize) {
    const auto at = lookup.at(static_cast<uint32_t>(i));
    int64_t channel = first_channel + at.of[0], place = first_place + at.of[1];
    auto function = function_of(channel);
    const int64_t count = size - i;
    Pack<T> result;
    auto apply = [&](const auto&... pack) {
#pragma unroll
      for (int k = 0; k < kSize; ++k) {
        if (k > 0 && ++place == run) {
          place = 0;
          if (++channel == channels) channel = 0;
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

/// of(channel, Σ terms(center, x, …)) for every channel, where `more` is dy if there is one.
template <class Terms, class Channels, class T, class... More>
void sum_channels(const char* op, const BatchNormProblem& p, Terms terms, const Channels& of,
                  const T* x, const More*... more) {
  const bool packed = is_pack_aligned(x, more...) && p.run % kPackSize<T> == 0;
  const SumPlan plan(p, packed ? kPackSize<T> : 1);
  Tensor partials = Tensor::empty({p.channels, plan.slices, 2}, DType::float64, Device::cuda);
  auto* sums = reinterpret_cast<TwoSums*>(partials.mutable_address<double>());
  launch(op, dim3(plan.channel_blocks, plan.slices),
         packed ? channel_sums_kernel<kPackSize<T>, Terms, Channels, T, More...>
                : channel_sums_kernel<1, Terms, Channels, T, More...>,
         plan, terms, of, sums, x, more...);
  combine_partials(op, sums, p.channels, plan.slices, TwoSums{}, Plus{}, of);
}

template <class FunctionOf, class T, class... In>
void per_channel(const char* op, const FunctionOf& function_of, const BatchNormProblem& p, T* out,
                 const In*... in) {
  LoopNest nest;  // its operands: the channel, and the place in its run
  nest.append({p.n, {0, 0}});
  nest.append({p.channels, {1, 0}});
  nest.append({p.run, {0, 1}});
  for (const auto& [part, at, first] : parts_of(nest))
    launch(op, blocks_for(blocks_of(part.size(), kPackSize<T>)),
           per_channel_kernel<FunctionOf, T, In...>, function_of, LookupNest<2>(part), at[0], at[1],
           p.channels, p.run, is_pack_aligned(out + first, (in + first)...), out + first,
           (in + first)...);
}

void use_running_statistics(const BatchNormProblem& p, const Tensor& running_mean,
                            const Tensor& running_var, Tensor& mean, Tensor& inverse) {
  dispatch_floating(running_mean.dtype(), "batch_norm", [&]<class T>(T) {
    launch("batch_norm", blocks_for(p.channels), running_statistics_kernel<T>, p.channels, p.eps,
           running_mean.address<T>(), running_var.address<T>(), mean.mutable_address<double>(),
           inverse.mutable_address<double>());
  });
}

void batch_norm_statistics(const BatchNormProblem& p, const Tensor& x, Tensor& mean,
                           Tensor& inverse, Tensor& running_mean, Tensor& running_var) {
  if (!p.training) return use_running_statistics(p, running_mean, running_var, mean, inverse);
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const T* in = x.address<T>();
    const norm::StatisticsOutput<T> output(p, mean, inverse, running_mean, running_var);
    sum_channels("batch_norm", p, norm::DistanceTerms{}, Statistics<T>{output, in, p.run}, in);
  });
}

void batch_norm_apply(const BatchNormProblem& p, const Tensor& x, const Tensor& mean,
                      const Tensor& inverse, const Tensor& gamma, const Tensor& beta, Tensor& y) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    per_channel("batch_norm", norm::NormaliseOf<T>(mean, inverse, gamma, beta), p,
                y.mutable_address<T>(), x.address<T>());
  });
}

void sum_gradients(const BatchNormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& mean,
                   const Tensor& inverse, Tensor& sums, Tensor& dgamma, Tensor& dbeta) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    const T *dys = dy.address<T>(), *in = x.address<T>();
    const norm::GradientOutput<T> output(p, inverse, sums, dgamma, dbeta);
    sum_channels("backward of batch_norm", p, norm::GradientTerms{},
                 Gradients<T>{output, mean.address<double>()}, in, dys);
  });
}

void backward_to_x(const BatchNormProblem& p, const Tensor& dy, const Tensor& x, const Tensor& mean,
                   const Tensor& inverse, const Tensor& gamma, const Tensor& sums, Tensor& dx) {
  dispatch_floating(x.dtype(), "batch_norm", [&]<class T>(T) {
    per_channel("backward of batch_norm", norm::BackwardOf<T>(p, mean, inverse, gamma, sums), p,
                dx.mutable_address<T>(), dy.address<T>(), x.address<T>());
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
