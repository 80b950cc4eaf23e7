#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/random.h>
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

struct DefaultSeed {
  std::mutex mutex;
  uint64_t seed = 0;
  std::map<std::string, uint64_t> next_index;
};

DefaultSeed& default_seed() {
  static DefaultSeed instance;
  return instance;
}

}  // namespace

Rng::Rng(uint64_t seed, std::string_view stream, uint64_t index)
    : seed_(seed), stream_(hash_stream(stream, index)) {}

std::array<uint32_t, 4> Rng::block_at(uint64_t offset) const { return RandomBlocks(*this)[offset]; }

std::array<uint32_t, 4> Rng::next_block() {
  const auto block = block_at(0);
  advance(1);
  return block;
}

uint32_t Rng::bits() { return next_block()[0]; }

double Rng::uniform() {
  const auto words = next_block();
  return uniform_double(words[0], words[1]);
}

uint64_t Rng::below(uint64_t bound) {
  check(bound >= 1, "Rng::below: the bound must be at least 1");
  // Values below 2⁶⁴ mod bound would make the small remainders more likely: draw again.
  const uint64_t unfair = -bound % bound;
  for (;;) {
    const auto words = next_block();
    for (const uint64_t value : {join_words(words[0], words[1]), join_words(words[2], words[3])})
      if (value >= unfair) return value % bound;
  }
}

Tensor Rng::uniform(const Shape& shape, double low, double high, DType dtype, Device device) {
  check(is_floating(dtype), "Rng::uniform: expected float32 or float64, got ", dtype);
  check(low <= high, "Rng::uniform: low ", low, " is above high ", high);
  Tensor tensor = Tensor::empty(shape, dtype, device);
  kernels_of(tensor).fill_uniform(*this, low, high, tensor);
  advance(blocks_of(shape.size(), dtype == DType::float32 ? UniformNumbers<float>::kPerBlock
                                                          : UniformNumbers<double>::kPerBlock));
  return tensor;
}

Tensor Rng::normal(const Shape& shape, double mean, double deviation, DType dtype, Device device) {
  check(is_floating(dtype), "Rng::normal: expected float32 or float64, got ", dtype);
  Tensor tensor = Tensor::empty(shape, dtype, device);
  kernels_of(tensor).fill_normal(*this, mean, deviation, tensor);
  advance(blocks_of(shape.size(), NormalNumbers<float>::kPerBlock));
  return tensor;
}

Tensor Rng::integers(const Shape& shape, int32_t low, int32_t high, Device device) {
  check(low < high, "Rng::integers: [", low, ", ", high, ") is empty");
  Tensor tensor = Tensor::empty(shape, DType::int32);
  int32_t* out = tensor.mutable_data<int32_t>();
  const uint64_t range = static_cast<uint64_t>(int64_t{high} - low);
  for (int64_t i = 0; i < shape.size(); ++i)
    out[i] = static_cast<int32_t>(low + static_cast<int64_t>(below(range)));
  return tensor.to(device);
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
