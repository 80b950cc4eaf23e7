#include <array>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

/// One block of the stream for each step of a thread: 16 bytes of `out`, which is a whole storage
/// and so aligned, or 32.
template <class Numbers, class T>
__global__ void __launch_bounds__(kThreads)
    fill_random_kernel(RandomBlocks blocks, Numbers numbers, int64_t n, T* out) {
  constexpr int kPerBlock = Numbers::kPerBlock;
  for (int64_t block = first_index(); block * kPerBlock < n; block += index_step()) {
    const std::array<T, kPerBlock> values = numbers(blocks[block]);
    const int64_t first = block * kPerBlock;
#pragma unroll
    for (int i = 0; i < kPerBlock; i += kPackSize<T>) {
      Pack<T> pack;
#pragma unroll
      for (int k = 0; k < kPackSize<T>; ++k) pack.values[k] = values[i + k];
      store_up_to(out + first + i, n - first - i, true, pack);
    }
  }
}

constexpr int kWords = 4;  // of a block of the generator

/// A thread draws a block at a time, for the four elements that it keeps or drops.
template <class T>
__global__ void __launch_bounds__(kThreads)
    dropout_kernel(RandomBlocks blocks, DropoutStep<T> step, bool packed, int64_t n, const T* x,
                   T* y) {
  for (int64_t block = first_index(); block * kWords < n; block += index_step()) {
    const RandomWords words = blocks[block];
    const int64_t first = block * kWords;
#pragma unroll
    for (int i = 0; i < kWords; i += kPackSize<T>) {
      const int64_t at = first + i;
      Pack<T> pack = load_up_to<kPackSize<T>>(x + at, n - at, packed);
#pragma unroll
      for (int k = 0; k < kPackSize<T>; ++k) pack.values[k] = step(pack.values[k], words[i + k]);
      store_up_to(y + at, n - at, packed, pack);
    }
  }
}

template <class Numbers, class T>
void fill(const char* op, const Rng& rng, const Numbers& numbers, T* out, int64_t n) {
  constexpr int kPerBlock = Numbers::kPerBlock;
  launch(op, blocks_for(blocks_of(n, kPerBlock)), fill_random_kernel<Numbers, T>, RandomBlocks(rng),
         numbers, n, out);
}

// ---------------------------------------------------------------------------------- launchers

void fill_uniform(const Rng& rng, double low, double high, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "Rng::uniform", [&]<class T>(T) {
    const UniformNumbers<T> numbers{static_cast<T>(low), static_cast<T>(high - low)};
    fill("Rng::uniform", rng, numbers, tensor.mutable_address<T>(), tensor.size());
  });
}

void fill_normal(const Rng& rng, double mean, double deviation, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "Rng::normal", [&]<class T>(T) {
    fill("Rng::normal", rng, NormalNumbers<T>{mean, deviation}, tensor.mutable_address<T>(),
         tensor.size());
  });
}

void dropout(const Tensor& x, double probability, const Rng& rng, Tensor& y) {
  dispatch_floating(x.dtype(), "dropout", [&]<class T>(T) {
    const T* in = x.address<T>();
    T* out = y.mutable_address<T>();
    launch("dropout", blocks_for(blocks_of(x.size(), kWords)), dropout_kernel<T>, RandomBlocks(rng),
           DropoutStep<T>(probability), is_pack_aligned(in, out), x.size(), in, out);
  });
}

}  // namespace

void add_random(Kernels& kernels) {
  kernels.fill_uniform = fill_uniform;
  kernels.fill_normal = fill_normal;
  kernels.dropout = dropout;
}

}  // namespace pade::cuda
