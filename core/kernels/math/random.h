#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <pade/core/kernels/math/host_device.h>
#include <pade/core/random.h>

/// The generator's formulas, for all devices.
namespace pade {

/// One of the ten rounds of Philox 4×32, in place.
PADE_HD void philox_round(uint32_t& c0, uint32_t& c1, uint32_t& c2, uint32_t& c3, uint32_t k0,
                          uint32_t k1) {
  const uint64_t even = uint64_t{0xD2511F53} * c0;
  const uint64_t odd = uint64_t{0xCD9E8D57} * c2;
  c0 = static_cast<uint32_t>(odd >> 32) ^ c1 ^ k0;
  c1 = static_cast<uint32_t>(odd);
  c2 = static_cast<uint32_t>(even >> 32) ^ c3 ^ k1;
  c3 = static_cast<uint32_t>(even);
}

inline constexpr int kPhiloxRounds = 10;
/// The key of the next round.
PADE_HD void advance_philox_key(uint32_t& k0, uint32_t& k1) {
  k0 += 0x9E3779B9;
  k1 += 0xBB67AE85;
}

using RandomWords = std::array<uint32_t, 4>;

PADE_HD RandomWords philox_block(RandomWords counter, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    philox_round(counter[0], counter[1], counter[2], counter[3], k0, k1);
    advance_philox_key(k0, k1);
  }
  return counter;
}

PADE_HD uint32_t low_word(uint64_t bits) { return static_cast<uint32_t>(bits); }
PADE_HD uint32_t high_word(uint64_t bits) { return static_cast<uint32_t>(bits >> 32); }

/// The blocks of a generator's stream from where it stands, for loops and kernels.
struct RandomBlocks {
  uint64_t seed, stream, counter;

  explicit RandomBlocks(const Rng& rng)
      : seed(rng.seed()), stream(rng.stream()), counter(rng.counter()) {}

  PADE_HD RandomWords operator[](uint64_t offset) const {
    const uint64_t position = counter + offset;
    return philox_block(
        {low_word(position), high_word(position), low_word(stream), high_word(stream)},
        low_word(seed), high_word(seed));
  }
};

PADE_HD uint64_t join_words(uint32_t low, uint32_t high) { return (uint64_t{high} << 32) | low; }

/// In [0, 1), from 53 of 64 random bits.
PADE_HD double uniform_double(uint32_t low, uint32_t high) {
  return static_cast<double>(join_words(low, high) >> 11) * 0x1p-53;
}

/// The numbers that Rng::uniform makes of a block. They are multiplied and added with one rounding,
/// so that all devices get the same bits: compilers differ in whether they fuse the two.
template <class T>
struct UniformNumbers {
  static constexpr int kPerBlock = 16 / static_cast<int>(sizeof(T));
  T low, width;

  PADE_HD std::array<T, kPerBlock> operator()(const RandomWords& words) const {
    if constexpr (kPerBlock == 4)
      return {scaled(uniform_float(words[0])), scaled(uniform_float(words[1])),
              scaled(uniform_float(words[2])), scaled(uniform_float(words[3]))};
    else
      return {scaled(uniform_double(words[0], words[1])),
              scaled(uniform_double(words[2], words[3]))};
  }

 private:
  PADE_HD T scaled(T number) const { return std::fma(width, number, low); }
};

/// Those of Rng::normal, by Box and Muller, in float64: pairs of independent numbers.
template <class T>
struct NormalNumbers {
  static constexpr int kPerBlock = 4;
  double mean, deviation;

  PADE_HD std::array<T, kPerBlock> operator()(const RandomWords& words) const {
    std::array<T, kPerBlock> numbers;
    for (int pair = 0; pair < 2; ++pair) {
      const double radius = std::sqrt(-2 * std::log((words[2 * pair] + 1.0) * 0x1p-32));
      const double angle = 2 * std::numbers::pi * (words[2 * pair + 1] * 0x1p-32);
      numbers[2 * pair] = static_cast<T>(mean + deviation * (radius * std::cos(angle)));
      numbers[2 * pair + 1] = static_cast<T>(mean + deviation * (radius * std::sin(angle)));
    }
    return numbers;
  }
};

/// dropout.h for one element, whose word of the generator is `bits`.
template <class T>
struct DropoutStep {
  float threshold;
  T scale;

  explicit DropoutStep(double probability)
      : threshold(static_cast<float>(probability)), scale(static_cast<T>(1 / (1 - probability))) {}

  PADE_HD T operator()(T x, uint32_t bits) const {
    return uniform_float(bits) >= threshold ? x * scale : T{0};
  }
};

}  // namespace pade
