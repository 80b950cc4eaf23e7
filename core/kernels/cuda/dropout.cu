#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

constexpr int kPerBlock = 4;  // elements of a block of the generator

/// A thread draws a block at a time, for the four elements that it keeps or drops.
template <class T>
__global__ void __launch_bounds__(kThreads)
    dropout_kernel(RandomBlocks blocks, DropoutStep<T> step, bool packed, int64_t n, const T* x,
                   T* y) {
  for (int64_t block = first_index(); block * kPerBlock < n; block += index_step()) {
    const RandomWords words = blocks[block];
    const int64_t first = block * kPerBlock;
#pragma unroll
    for (int i = 0; i < kPerBlock; i += kPackSize<T>) {
      const int64_t at = first + i;
      Pack<T> pack = load_up_to<kPackSize<T>>(x + at, n - at, packed);
#pragma unroll
      for (int k = 0; k < kPackSize<T>; ++k) pack.values[k] = step(pack.values[k], words[i + k]);
      store_up_to(y + at, n - at, packed, pack);
    }
  }
}

// ---------------------------------------------------------------------------------- launchers

void dropout(const Tensor& x, double probability, const Rng& rng, Tensor& y) {
  dispatch_floating(x.dtype(), "dropout", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.address<T>();
    T* out = y.mutable_address<T>();
    launch("dropout", blocks_for(blocks_of(x.size(), kPerBlock)), dropout_kernel<T>,
           RandomBlocks(rng), DropoutStep<T>(probability), is_pack_aligned(in, out), x.size(), in,
           out);
  });
}

}  // namespace

void add_dropout(Kernels& kernels) { kernels.dropout = dropout; }

}  // namespace pade::cuda
