#include <algorithm>
#include <array>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

template <class Numbers, class T>
void fill(const RandomBlocks& blocks, const Numbers& numbers, T* out, int64_t n) {
  constexpr int kPerBlock = Numbers::kPerBlock;
  parallel_for(blocks_of(n, kPerBlock), kElementBlock / 4, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const std::array<T, kPerBlock> values = numbers(blocks[block]);
      const int64_t first = block * kPerBlock;
      std::copy_n(values.begin(), std::min<int64_t>(kPerBlock, n - first), out + first);
    }
  });
}

void fill_uniform(const Rng& rng, double low, double high, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "Rng::uniform", [&]<class T>(T) {
    const UniformNumbers<T> numbers{static_cast<T>(low), static_cast<T>(high - low)};
    fill(RandomBlocks(rng), numbers, tensor.mutable_data<T>(), tensor.size());
  });
}

void fill_normal(const Rng& rng, double mean, double deviation, Tensor& tensor) {
  dispatch_floating(tensor.dtype(), "Rng::normal", [&]<class T>(T) {
    fill(RandomBlocks(rng), NormalNumbers<T>{mean, deviation}, tensor.mutable_data<T>(),
         tensor.size());
  });
}

constexpr int kBlocks = 64;  // Philox blocks drawn at a time …
constexpr int64_t kWords = 4 * kBlocks;
static_assert(kElementBlock % kWords == 0);

/// The words of kBlocks consecutive blocks, in lanes (2 operations a round and lane instead of a
/// call per block).
void draw(const RandomBlocks& blocks, uint64_t offset, uint32_t* words) {
  uint32_t counter[4][kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    const uint64_t position = blocks.counter + offset + i;
    counter[0][i] = low_word(position);
    counter[1][i] = high_word(position);
    counter[2][i] = low_word(blocks.stream);
    counter[3][i] = high_word(blocks.stream);
  }
  uint32_t key0 = low_word(blocks.seed), key1 = high_word(blocks.seed);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    for (int i = 0; i < kBlocks; ++i)
      philox_round(counter[0][i], counter[1][i], counter[2][i], counter[3][i], key0, key1);
    advance_philox_key(key0, key1);
  }
  for (int i = 0; i < kBlocks; ++i)
    for (int word = 0; word < 4; ++word) words[4 * i + word] = counter[word][i];
}

void dropout(const Tensor& x, double probability, const Rng& rng, Tensor& y) {
  dispatch_floating(x.dtype(), "dropout", [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    const DropoutStep<T> step(probability);
    const RandomBlocks blocks(rng);
    parallel_for(x.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      uint32_t words[kWords];
      for (int64_t first = begin; first < end; first += kWords) {
        draw(blocks, first / 4, words);
        const int64_t count = std::min(kWords, end - first);
        for (int64_t i = 0; i < count; ++i) out[first + i] = step(in[first + i], words[i]);
      }
    });
  });
}

}  // namespace

void add_random(Kernels& kernels) {
  kernels.fill_uniform = fill_uniform;
  kernels.fill_normal = fill_normal;
  kernels.dropout = dropout;
}

}  // namespace pade::cpu
