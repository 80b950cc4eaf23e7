#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <numeric>
#include <string>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>

namespace pade {
namespace {

/// FNV-1a over the name, then the index, finished by SplitMix64's mixer.
uint64_t hash_stream(std::string_view name, uint64_t index) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : name) hash = (hash ^ byte) * 0x100000001b3;
  hash += (index + 1) * 0x9e3779b97f4a7c15;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

uint64_t join(uint32_t low, uint32_t high) { return (uint64_t{high} << 32) | low; }

/// In [0, 1), from 53 of 64 random bits.
double uniform_double(uint32_t low, uint32_t high) {
  return static_cast<double>(join(low, high) >> 11) * 0x1p-53;
}

/// Fills `out` from `per_block` elements per Philox block: f(bits, element) for each.
template <int kPerBlock, class T, class F>
void fill_blockwise(Rng& rng, T* out, int64_t n, F&& f) {
  const int64_t blocks = blocks_of(n, kPerBlock);
  parallel_for(blocks, kElementBlock / 4, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const std::array<T, kPerBlock> values = f(rng.block_at(block));
      const int64_t first = block * kPerBlock;
      const int64_t count = std::min<int64_t>(kPerBlock, n - first);
      for (int64_t i = 0; i < count; ++i) out[first + i] = values[i];
    }
  });
  rng.advance(blocks);
}

/// Two independent standard normals (Box–Muller).
std::array<double, 2> normal_pair(uint32_t a, uint32_t b) {
  const double radius = std::sqrt(-2 * std::log((a + 1.0) * 0x1p-32));
  const double angle = 2 * std::numbers::pi * (b * 0x1p-32);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

struct DefaultSeed {
  std::mutex mutex;
  uint64_t seed = 0;
  std::map<std::string, uint64_t, std::less<>> next_index;
};

DefaultSeed& default_seed() {
  static DefaultSeed instance;
  return instance;
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t even = uint64_t{0xD2511F53} * counter[0];
    const uint64_t odd = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(odd >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(odd),
               static_cast<uint32_t>(even >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(even)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Rng::Rng(uint64_t seed, std::string_view stream, uint64_t index)
    : seed_(seed), stream_(hash_stream(stream, index)) {}

std::array<uint32_t, 4> Rng::block_at(uint64_t offset) const {
  const uint64_t position = counter_ + offset;
  return philox({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32),
                 static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)},
                {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
}

uint32_t Rng::bits() {
  const uint32_t value = block_at(0)[0];
  advance(1);
  return value;
}

double Rng::uniform() {
  const auto words = block_at(0);
  advance(1);
  return uniform_double(words[0], words[1]);
}

uint64_t Rng::below(uint64_t bound) {
  check(bound >= 1, "Rng::below: the bound must be at least 1");
  // Values below 2⁶⁴ mod bound would make the small remainders more likely: draw again.
  const uint64_t unfair = -bound % bound;
  for (;;) {
    const auto words = block_at(0);
    advance(1);
    for (const uint64_t value : {join(words[0], words[1]), join(words[2], words[3])})
      if (value >= unfair) return value % bound;
  }
}

Tensor Rng::uniform(const Shape& shape, double low, double high, DType dtype) {
  check(is_floating(dtype), "Rng::uniform: expected float32 or float64, got ", dtype);
  check(low <= high, "Rng::uniform: low ", low, " is above high ", high);
  Tensor tensor = Tensor::empty(shape, dtype);
  if (dtype == DType::float64) {
    fill_blockwise<2>(*this, tensor.mutable_data<double>(), shape.size(), [&](auto words) {
      return std::array{low + (high - low) * uniform_double(words[0], words[1]),
                        low + (high - low) * uniform_double(words[2], words[3])};
    });
    return tensor;
  }
  const float first = static_cast<float>(low);
  const float width = static_cast<float>(high - low);
  fill_blockwise<4>(*this, tensor.mutable_data<float>(), shape.size(), [&](auto words) {
    std::array<float, 4> values;
    for (int i = 0; i < 4; ++i) values[i] = first + width * uniform_float(words[i]);
    return values;
  });
  return tensor;
}

Tensor Rng::normal(const Shape& shape, double mean, double deviation, DType dtype) {
  Tensor tensor = Tensor::empty(shape, dtype);
  dispatch_floating(dtype, "Rng::normal", [&](auto zero) {
    using T = decltype(zero);
    fill_blockwise<4>(*this, tensor.mutable_data<T>(), shape.size(), [&](auto words) {
      const auto first = normal_pair(words[0], words[1]);
      const auto second = normal_pair(words[2], words[3]);
      std::array<T, 4> values;
      for (int i = 0; i < 4; ++i)
        values[i] = static_cast<T>(mean + deviation * (i < 2 ? first[i] : second[i - 2]));
      return values;
    });
  });
  return tensor;
}

Tensor Rng::integers(const Shape& shape, int32_t low, int32_t high) {
  check(low < high, "Rng::integers: [", low, ", ", high, ") is empty");
  Tensor tensor = Tensor::empty(shape, DType::int32);
  int32_t* out = tensor.mutable_data<int32_t>();
  const uint64_t range = static_cast<uint64_t>(int64_t{high} - low);
  for (int64_t i = 0; i < shape.size(); ++i)
    out[i] = static_cast<int32_t>(low + static_cast<int64_t>(below(range)));
  return tensor;
}

std::vector<int64_t> Rng::permutation(int64_t n) {
  check(n >= 0, "Rng::permutation: ", n, " is negative");
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[below(i + 1)]);
  return order;
}

void manual_seed(uint64_t seed) {
  DefaultSeed& current = default_seed();
  const std::lock_guard lock(current.mutex);
  current.seed = seed;
  current.next_index.clear();
}

Rng next_stream(std::string_view name) {
  DefaultSeed& current = default_seed();
  const std::lock_guard lock(current.mutex);
  return Rng(current.seed, name, current.next_index[std::string(name)]++);
}

}  // namespace pade
