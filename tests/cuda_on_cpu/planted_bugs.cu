#include "tests/cuda_on_cpu/planted_bugs.h"

#include <map>

#include <pade/core/kernels/cuda/reduce.cuh>

namespace planted {
namespace {

using namespace pade::cuda;
using pade::Tensor;

__global__ void divergent_barrier(float* y) {
  if (threadIdx.x < 16) __syncthreads();
  y[threadIdx.x] = 1;
  if (threadIdx.x >= 16) __syncthreads();
}

__global__ void missing_barrier(float* y) {
  PADE_SHARED(float, values, [64]);
  values[threadIdx.x] = static_cast<float>(threadIdx.x);
  y[threadIdx.x] = values[63 - threadIdx.x];
}

/// A tile is written again while others still read it.
__global__ void missing_second_barrier(const float* x, float* y) {
  PADE_SHARED(float, tile, [64]);
  float sum = 0;
  for (int k = 0; k < 3; ++k) {
    tile[threadIdx.x] = x[k * 64 + threadIdx.x];
    __syncthreads();
    sum += tile[63 - threadIdx.x];
  }
  y[threadIdx.x] = sum;
}

__global__ void missing_warp_barrier(float* y) {
  PADE_SHARED(float, values, [32]);
  values[threadIdx.x] = 1;
  y[threadIdx.x] = values[threadIdx.x ^ 1];
}

__global__ void warp_barrier(float* y) {
  PADE_SHARED(float, values, [32]);
  values[threadIdx.x] = 1;
  __syncwarp();
  y[threadIdx.x] = values[threadIdx.x ^ 1];
}

__global__ void one_too_many(float* y) {
  const int i = threadIdx.x;
  if (i <= 64) y[i] = 1;
}

__global__ void one_too_many_shared(float* y) {
  PADE_SHARED(float, values, [32]);
  values[threadIdx.x + 1] = 1;
  __syncthreads();
  y[threadIdx.x] = values[threadIdx.x];
}

__global__ void unwritten_shared(float* y) {
  PADE_SHARED(float, values, [32]);
  if (threadIdx.x < 31) values[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = values[threadIdx.x];
}

__global__ void copy(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x]; }

__global__ void race_of_threads(float* y) { y[0] += 1; }

__global__ void race_of_blocks(float* y) {
  if (threadIdx.x == 0) y[0] += 1;
}

__global__ void shuffle_of_absent_lanes(float* y) {
  float value = 1;
  if (threadIdx.x < 16) value = __shfl_down_sync(kAllLanes, value, 1);
  y[threadIdx.x] = value;
}

__global__ void early_return(float* y) {
  if (threadIdx.x >= 20) return;
  __syncthreads();
  y[threadIdx.x] = 1;
}

__global__ void misaligned_pack(const float* x, float* y) { store_pack(y, load_pack<4>(x + 1)); }

struct View {
  const float* data;
};
__global__ void host_address_in_struct(View view, float* y) {
  y[threadIdx.x] = view.data[threadIdx.x];
}

__global__ void count_by_atomics(float* y) {
  PADE_SHARED(int, counter, [1]);
  if (threadIdx.x == 0) counter[0] = 0;
  __syncthreads();
  atomicAdd(&counter[0], 1);
  __syncthreads();
  y[threadIdx.x] = static_cast<float>(counter[0]);
}

/// Each sum needs the places of the one before.
__global__ void two_sums_in_turn(const float* x, float* y) {
  const float first = block_sum(x[threadIdx.x]);
  const float second = block_sum(x[threadIdx.x] + first);
  if (threadIdx.x == 0) y[0] = second;
}

__global__ void block_sums(const float* x, float* partials) {
  const float sum = block_sum(x[first_index()]);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

__global__ void atomic_sum(const float* x, float* sum) { atomicAdd(sum, x[first_index()]); }

}  // namespace

void run(const std::string& name, const Tensor& input, Tensor& output, const float* host) {
  const float* x = input.address<float>();
  float* y = output.mutable_address<float>();
  auto start = [&](unsigned blocks, unsigned threads, auto kernel, auto... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = blocks;
    config.blockDim = threads;
    config.stream = stream();
    check_cuda(cudaLaunchKernelEx(&config, kernel, arguments...), name.c_str());
  };
  if (name == "divergent_barrier") start(1, 32, divergent_barrier, y);
  if (name == "missing_barrier") start(1, 64, missing_barrier, y);
  if (name == "missing_second_barrier") start(1, 64, missing_second_barrier, x, y);
  if (name == "missing_warp_barrier") start(1, 32, missing_warp_barrier, y);
  if (name == "warp_barrier") start(1, 32, warp_barrier, y);
  if (name == "one_too_many") start(1, 96, one_too_many, y);
  if (name == "one_too_many_shared") start(1, 32, one_too_many_shared, y);
  if (name == "unwritten_shared") start(1, 32, unwritten_shared, y);
  if (name == "unwritten_global") {
    const pade::Storage never_written(128, pade::Device::cuda);
    start(1, 32, copy, reinterpret_cast<const float*>(never_written.data()), y);
    pade::synchronize(pade::Device::cuda);
  }
  if (name == "race_of_threads") start(1, 2, race_of_threads, y);
  if (name == "race_of_blocks") start(2, 32, race_of_blocks, y);
  if (name == "shuffle_of_absent_lanes") start(1, 32, shuffle_of_absent_lanes, y);
  if (name == "early_return") start(1, 32, early_return, y);
  if (name == "misaligned_pack") start(1, 1, misaligned_pack, x, y);
  if (name == "host_address") start(1, 32, copy, host, y);
  if (name == "host_address_in_struct") start(1, 32, host_address_in_struct, View{host}, y);
  if (name == "use_after_free") {
    float* freed = nullptr;
    cudaMalloc(&freed, 128);
    cudaMemsetAsync(freed, 0, 128);
    cudaFree(freed);
    start(1, 32, copy, static_cast<const float*>(freed), y);
  }
  if (name == "too_many_threads") start(1, 2048, copy, x, y);
  if (name == "copy") start(1, 64, copy, x, y);
  if (name == "two_sums_in_turn") start(1, kThreads, two_sums_in_turn, x, y);
  if (name == "count_by_atomics") start(1, 64, count_by_atomics, y);
}

void sum_in_two_passes(const Tensor& x, Tensor& partials, Tensor& sum) {
  const unsigned blocks = static_cast<unsigned>(x.size() / kThreads);
  launch("two passes", blocks, block_sums, x.address<float>(), partials.mutable_address<float>());
  sum_partials("two passes", partials.address<float>(), 1, blocks,
               StoreSum<float>{sum.mutable_address<float>()});
}

void sum_by_atomics(const Tensor& x, Tensor& sum) {
  launch("atomics", static_cast<unsigned>(x.size() / kThreads), atomic_sum, x.address<float>(),
         sum.mutable_address<float>());
}

}  // namespace planted
