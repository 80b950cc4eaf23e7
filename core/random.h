#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <pade/core/tensor.h>

namespace pade {

/// A counter-based generator: Philox 4×32-10 (Salmon et al., "Parallel Random Numbers: As Easy as
/// 1, 2, 3", SC'11). Every number is a function of (seed, stream, counter), so initialisation,
/// shuffling, augmentation and dropout are each reproducible on their own, for any number of
/// threads, and resumable: its whole state is the counter.
///
/// A call consumes whole blocks of 128 bits: n numbers of 32 bits take ⌈n/4⌉, of 64 bits ⌈n/2⌉.
class Rng {
 public:
  /// A stream is named by what it is for, and by an index where there are several of that name.
  explicit Rng(uint64_t seed, std::string_view stream = "", uint64_t index = 0);

  uint32_t bits();
  /// In [0, 1), from 53 random bits.
  double uniform();
  /// An unbiased integer in [0, bound). Throws Error unless bound >= 1.
  uint64_t below(uint64_t bound);

  /// Each element independent; float32 or float64. Rounding to float32 may reach `high` itself. The
  /// same bits on every device.
  Tensor uniform(const Shape& shape, double low, double high, DType dtype = DType::float32,
                 Device device = Device::cpu);
  /// Devices differ in the last bits, as their logarithm and cosine do.
  Tensor normal(const Shape& shape, double mean, double deviation, DType dtype = DType::float32,
                Device device = Device::cpu);
  /// int32 in [low, high), drawn on the CPU. Throws Error unless low < high.
  Tensor integers(const Shape& shape, int32_t low, int32_t high, Device device = Device::cpu);
  /// A random order of 0 … n−1 (Fisher–Yates).
  std::vector<int64_t> permutation(int64_t n);

  uint64_t seed() const { return seed_; }
  uint64_t stream() const { return stream_; }
  /// In blocks. Setting it jumps to that point of the stream.
  uint64_t counter() const { return counter_; }
  void set_counter(uint64_t counter) { counter_ = counter; }
  /// The block `offset` blocks from here, without moving: for parallel loops, which then call
  /// advance() once for all that they took.
  std::array<uint32_t, 4> block_at(uint64_t offset) const;
  void advance(uint64_t blocks) { counter_ += blocks; }

 private:
  std::array<uint32_t, 4> next_block();

  uint64_t seed_;
  uint64_t stream_;  // a hash of the stream's name and index
  uint64_t counter_ = 0;
};

/// A float in [0, 1) from the upper 24 of 32 random bits.
constexpr float uniform_float(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

/// Sets the seed that layers draw from, and starts their streams again. Call it before building a
/// network. The seed is 0 at first.
void manual_seed(uint64_t seed);
/// The next stream of that name under the current seed: ("init", 0), ("init", 1), … in the order
/// of the calls.
Rng next_stream(std::string_view name);

}  // namespace pade
