#include <algorithm>

#include <pade/core/kernels/cuda/conv2d.cuh>
#include <pade/core/kernels/cuda/conv2d_factors.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

/// Every output channel sees one input channel: nothing to gain from a product of matrices, so
/// every thread adds up the taps of its element.
namespace pade::cuda::depthwise {
namespace {

/// The term number `tap` of a forward or backward-data sum, as ForwardFactors and DataFactors have
/// it for one channel.
template <class T>
__global__ void __launch_bounds__(kThreads) depthwise_kernel(ForwardFactors<T> f, int64_t n) {
  const int outputs = f.c.oh * f.c.ow;
  for (int64_t i = first_index(); i < n; i += index_step()) {
    const int plane = f.c.by_outputs.quotient(static_cast<uint32_t>(i));
    const int channel = plane % (f.c.groups * f.c.group_out),
              image = plane / (f.c.groups * f.c.group_out);
    const int group = channel / f.c.group_out, pixel = static_cast<int>(i) - plane * outputs;
    const auto column = f.column(group, image * outputs + pixel);
    T sum = f.bias ? f.bias[channel] : T{0};
    for (int tap = 0; tap < f.c.taps; ++tap)
      sum += f.left(group, channel - group * f.c.group_out, tap) * f.right(column, tap);
    f.y[i] = sum;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) depthwise_data_kernel(DataFactors<T> f, int64_t n) {
  const int pixels = f.c.h * f.c.w;
  for (int64_t i = first_index(); i < n; i += index_step()) {
    const int plane = f.c.by_pixels.quotient(static_cast<uint32_t>(i));
    const int group = plane % f.c.groups, image = plane / f.c.groups;
    const auto column = f.column(group, image * pixels + static_cast<int>(i) - plane * pixels);
    T sum = 0;
    for (int term = 0; term < f.inner(); ++term)
      sum += f.left(group, 0, term) * f.right(column, term);
    f.dx[i] = sum;
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

}  // namespace

// ---------------------------------------------------------------------------------- launchers

template <class T>
void forward(const ForwardFactors<T>& factors) {
  const int64_t n = int64_t{factors.columns()} * factors.c.groups * factors.c.group_out;
  launch("conv2d", {blocks_for(n)}, depthwise_kernel<T>, factors, n);
}

template <class T>
void backward_data(const DataFactors<T>& factors) {
  const int64_t n = int64_t{factors.columns()} * factors.c.groups;
  launch("backward of conv2d", {blocks_for(n)}, depthwise_data_kernel<T>, factors, n);
}

template <class T>
void backward_weight(const WeightFactors<T>& factors, T* dweight) {
  constexpr int kSliceDepth = 8192;
  const int weights = factors.c.groups * factors.c.group_out * factors.c.taps;
  const int slices = (factors.inner() + kSliceDepth - 1) / kSliceDepth;
  Tensor partials = Tensor::empty({weights, slices}, DType::float64, Device::cuda);
  const dim3 grid(slices, static_cast<unsigned>(std::min(weights, 65535)));
  launch("backward of conv2d", {grid}, depthwise_weight_kernel<T>, factors, kSliceDepth,
         partials.mutable_address<double>());
  sum_partials("backward of conv2d", partials.address<double>(), weights, slices, ToScalar<T>{},
               dweight);
}

template void forward<float>(const ForwardFactors<float>&);
template void forward<double>(const ForwardFactors<double>&);
template void backward_data<float>(const DataFactors<float>&);
template void backward_data<double>(const DataFactors<double>&);
template void backward_weight<float>(const WeightFactors<float>&, float*);
template void backward_weight<double>(const WeightFactors<double>&, double*);

}  // namespace pade::cuda::depthwise
