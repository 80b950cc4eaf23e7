#include <algorithm>

#include <pade/core/ops/dropout_kernels.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

constexpr int kBlocks = 64;  // Philox blocks drawn at a time …
constexpr int64_t kWords = 4 * kBlocks;
static_assert(kElementBlock % kWords == 0);

/// The words of kBlocks consecutive blocks: what rng.block_at() gives, in lanes (2 operations a
/// round and lane instead of a call per block).
void draw(const Rng& rng, uint64_t offset, uint32_t* words) {
  uint32_t counter[4][kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    const uint64_t position = rng.counter() + offset + i;
    counter[0][i] = static_cast<uint32_t>(position);
    counter[1][i] = static_cast<uint32_t>(position >> 32);
    counter[2][i] = static_cast<uint32_t>(rng.stream());
    counter[3][i] = static_cast<uint32_t>(rng.stream() >> 32);
  }
  uint32_t key0 = static_cast<uint32_t>(rng.seed());
  uint32_t key1 = static_cast<uint32_t>(rng.seed() >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      const uint64_t even = uint64_t{0xD2511F53} * counter[0][i];
      const uint64_t odd = uint64_t{0xCD9E8D57} * counter[2][i];
      counter[0][i] = static_cast<uint32_t>(odd >> 32) ^ counter[1][i] ^ key0;
      counter[1][i] = static_cast<uint32_t>(odd);
      counter[2][i] = static_cast<uint32_t>(even >> 32) ^ counter[3][i] ^ key1;
      counter[3][i] = static_cast<uint32_t>(even);
    }
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  for (int i = 0; i < kBlocks; ++i)
    for (int word = 0; word < 4; ++word) words[4 * i + word] = counter[word][i];
}

}  // namespace

void dropout(const Tensor& x, double probability, const Rng& rng, Tensor& y) {
  dispatch_floating(x.dtype(), "dropout", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    const T scale = static_cast<T>(1 / (1 - probability));
    const float threshold = static_cast<float>(probability);
    parallel_for(x.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      uint32_t words[kWords];
      for (int64_t first = begin; first < end; first += kWords) {
        draw(rng, first / 4, words);
        const int64_t count = std::min(kWords, end - first);
        for (int64_t i = 0; i < count; ++i)
          out[first + i] = uniform_float(words[i]) >= threshold ? in[first + i] * scale : T{0};
      }
    });
  });
}

}  // namespace pade::cpu
