#include <algorithm>
#include <array>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {
namespace {

template <class Numbers, class T>
void fill(const RandomBlocks& blocks, const Numbers& numbers, T* out, int64_t n) {
  constexpr int kPerBlock = Numbers::kPerBlock;
  parallel_for(blocks_of(n, kPerBlock), kElementBlock / 4, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const std::array<T, kPerBlock> values = numbers(blocks[block]);
      const int64_t first = block * kPerBlock;
      const int64_t count = std::min<int64_t>(kPerBlock, n - first);
      for (int64_t i = 0; i < count; ++i) out[first + i] = values[i];
    }
  });
}

}  // namespace

void fill_uniform(const Rng& rng, double low, double high, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "Rng::uniform", [&](auto zero) {
    using T = decltype(zero);
    const UniformNumbers<T> numbers{static_cast<T>(low), static_cast<T>(high - low)};
    fill(RandomBlocks(rng), numbers, tensor.mutable_data<T>(), tensor.size());
  });
}

void fill_normal(const Rng& rng, double mean, double deviation, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "Rng::normal", [&](auto zero) {
    using T = decltype(zero);
    fill(RandomBlocks(rng), NormalNumbers<T>{mean, deviation}, tensor.mutable_data<T>(),
         tensor.size());
  });
}

}  // namespace

void add_random(Kernels& kernels) {
  kernels.fill_uniform = fill_uniform;
  kernels.fill_normal = fill_normal;
}

}  // namespace pade::cpu
