#pragma once

#include <algorithm>

#include <pade/core/kernels/cuda/conv2d_factors.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

/// Every output channel sees one input channel: nothing to gain from a product of matrices, so
/// every thread adds up the taps of its element.
namespace pade::cuda::depthwise {

/// Of PixelFactors. The threads are numbered as the elements are in memory.
template <class T, class Factors>
__global__ void __launch_bounds__(kThreads) depthwise_kernel(Factors f, int64_t n) {
  const int area = f.planes().area, channels = f.c.groups * f.rows();
  for (int64_t i = first_index(); i < n; i += index_step()) {
    const int plane = f.planes().by_area.quotient(static_cast<uint32_t>(i));
    const int image = plane / channels, channel = plane - image * channels;
    const int group = Factors::kIsBackward ? channel : channel / f.rows();  // of one row there
    const int pixel = static_cast<int>(i) - plane * area;
    const auto column = f.column(group, image * area + pixel);
    T sum = 0;
    if (f.bias) sum = f.bias[channel];
    for (int k = 0; k < f.inner(); ++k)
      sum += f.left(group, channel - group * f.rows(), k) * f.right(column, k);
    f.out[i] = sum;
  }
}

/// Block (x, y): a slice of the pixels, and a weight.
template <class T>
__global__ void __launch_bounds__(kThreads)
    depthwise_weight_kernel(WeightFactors<T> f, int slice_depth, double* partials) {
  const int slice = blockIdx.x, slices = gridDim.x;
  const int weights = f.c.groups * f.c.group_out * f.c.taps;
  const int begin = slice * slice_depth, end = min(f.inner(), begin + slice_depth);
  for (int weight = blockIdx.y; weight < weights; weight += gridDim.y) {
    const int channel = f.c.by_taps.quotient(weight), tap = weight - channel * f.c.taps;
    const int group = channel / f.c.group_out;
    const auto column = f.column(group, tap);
    double sum = 0;
    for (int k = begin + static_cast<int>(threadIdx.x); k < end; k += kThreads)
      sum += f.left(group, channel - group * f.c.group_out, k) * f.right(column, k);
    sum = block_sum(sum);
    if (threadIdx.x == 0) partials[static_cast<int64_t>(weight) * slices + slice] = sum;
  }
}

// ---------------------------------------------------------------------------------- launchers

template <class T, class Factors>
void convolve(const char* op, const Factors& factors) {
  const int64_t n = int64_t{factors.columns()} * factors.c.groups * factors.rows();
  launch(op, blocks_for(n), depthwise_kernel<T, Factors>, factors, n);
}

template <class T>
void backward_weight(const char* op, WeightFactors<T> factors, T* dweight) {
  constexpr int kSliceDepth = 8192;
  const int weights = factors.c.groups * factors.rows() * factors.columns();
  const int slices = static_cast<int>(blocks_of(factors.inner(), kSliceDepth));
  Tensor partials = partial_sums(weights, slices);
  launch(op, dim3(slices, std::min(weights, 65535)), depthwise_weight_kernel<T>, factors,
         kSliceDepth, partials.mutable_address<double>());
  sum_partials(op, partials.address<double>(), weights, slices, StoreSum<T>{dweight});
}

}  // namespace pade::cuda::depthwise
