#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <set>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/kernels/math/random.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>

#include "tests/devices.h"

using namespace pade;

namespace {

using Block = std::array<uint32_t, 4>;

/// How far the counts are from being equal; compare with the quantile for one degree of freedom
/// less than there are counts.
template <class Counts>
double chi_square(const Counts& counts, int draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(counts.size());
  double total = 0;
  for (const int count : counts) total += std::pow(count - expected, 2) / expected;
  return total;
}

}  // namespace

TEST_CASE("Philox gives the known answers of its authors' test vectors") {
  constexpr uint32_t kOnes = 0xffffffff;
  CHECK(philox_block({0, 0, 0, 0}, 0, 0) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox_block({kOnes, kOnes, kOnes, kOnes}, kOnes, kOnes) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox_block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("seed, stream and index each select other numbers; the same ones the same") {
  std::set<uint32_t> firsts;
  for (const uint64_t seed : {0, 1})
    for (const char* stream : {"", "init", "shuffle"})
      for (const uint64_t index : {0, 1, 2}) firsts.insert(Rng(seed, stream, index).bits());
  CHECK(firsts.size() == 18);
  CHECK(Rng(5, "init", 2).bits() == Rng(5, "init", 2).bits());
}

TEST_CASE("neighbouring streams are not correlated") {
  constexpr int64_t kCount = 100000;
  const Tensor base = Rng(8, "init", 0).normal({kCount}, 0, 1, DType::float64);
  const Tensor others[] = {Rng(9, "init", 0).normal({kCount}, 0, 1, DType::float64),
                           Rng(8, "init", 1).normal({kCount}, 0, 1, DType::float64),
                           Rng(8, "inits", 0).normal({kCount}, 0, 1, DType::float64)};
  for (const Tensor& other : others) {
    double correlation = 0;
    for (int64_t i = 0; i < kCount; ++i)
      correlation += base.data<double>()[i] * other.data<double>()[i] / kCount;
    CHECK(std::abs(correlation) <= 5 / std::sqrt(kCount));
  }
}

TEST_CASE("the counter is the whole state") {
  Rng rng(1, "any");
  rng.uniform({1000}, 0, 1);
  CHECK(rng.counter() == 250);
  const Tensor expected = rng.normal({77}, 0, 1);
  Rng again(1, "any");
  again.set_counter(250);
  CHECK(again.normal({77}, 0, 1).to_vector<float>() == expected.to_vector<float>());
  CHECK(again.counter() == rng.counter());
}

TEST_CASE("a call consumes whole blocks, however many numbers it takes of them") {
  Rng rng(1);
  auto consumed = [&](auto&& draw) {
    const uint64_t before = rng.counter();
    draw();
    return rng.counter() - before;
  };
  CHECK(consumed([&] { rng.bits(); }) == 1);
  CHECK(consumed([&] { rng.uniform(); }) == 1);
  CHECK(consumed([&] { rng.uniform({0}, 0, 1); }) == 0);
  CHECK(consumed([&] { rng.uniform({5}, 0, 1); }) == 2);
  CHECK(consumed([&] { rng.uniform({5}, 0, 1, DType::float64); }) == 3);
  CHECK(consumed([&] { rng.normal({8}, 0, 1); }) == 2);
}

TEST_CASE("block_at looks ahead without moving, and advance moves there") {
  Rng rng(1, "any");
  const Block ahead = rng.block_at(3);
  CHECK(rng.counter() == 0);
  rng.advance(3);
  CHECK(rng.block_at(0) == ahead);
  CHECK(rng.bits() == ahead[0]);
  rng.set_counter(~uint64_t{0});  // the last block, then the first again
  rng.bits();
  CHECK(rng.counter() == 0);
}

DEVICE_TEST_CASE("uniform has the bits of its formula, on every device") {
  // The last one is more than a thread of the largest grid takes at once.
  for (const int64_t n : {0, 1, 3, 4, 5, 1023, 1025, 1056 * 256 * 4 + 7}) {
    Rng rng(31, "fill", 2);
    rng.set_counter(0xFFFFFFF0);  // the counter's lower word overflows on the way
    const Rng start = rng;
    const Tensor drawn = rng.uniform({n}, -0.3, 1.1, DType::float32, device);
    REQUIRE(drawn.device() == device);
    CHECK(rng.counter() == start.counter() + (n + 3) / 4);
    const std::vector<float> floats = drawn.to_vector<float>();
    const float low = static_cast<float>(-0.3), width = static_cast<float>(1.1 - -0.3);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; ++i)
      wrong += floats[i] != std::fma(width, uniform_float(start.block_at(i / 4)[i % 4]), low);
    CHECK(wrong == 0);

    Rng again = start;
    const int64_t count = std::min<int64_t>(n, 1025);
    const auto doubles =
        again.uniform({count}, -0.3, 1.1, DType::float64, device).to_vector<double>();
    CHECK(again.counter() == start.counter() + (count + 1) / 2);
    for (int64_t i = 0; i < count; ++i) {
      const Block block = start.block_at(i / 2);
      const uint64_t bits = (uint64_t{block[i % 2 * 2 + 1]} << 32) | block[i % 2 * 2];
      const double number = static_cast<double>(bits >> 11) * 0x1p-53;
      wrong += doubles[i] != std::fma(1.1 - -0.3, number, -0.3);
    }
    CHECK(wrong == 0);
  }
}

DEVICE_TEST_CASE("normal follows Box and Muller's formula") {
  for (const int64_t n : {0, 1, 2, 3, 4, 5, 4099})
    for (const DType dtype : {DType::float32, DType::float64}) {
      Rng rng(32);
      const Rng start = rng;
      const Tensor drawn = rng.normal({n}, 1, 2, dtype, device);
      REQUIRE(drawn.device() == device);
      REQUIRE(drawn.dtype() == dtype);
      CHECK(rng.counter() == (static_cast<uint64_t>(n) + 3) / 4);
      Rng again = start;
      const auto values = drawn.to(DType::float64).to_vector<double>();
      CHECK(again.normal({n}, 1, 2, dtype, device).to(DType::float64).to_vector<double>() ==
            values);
      int64_t wrong = 0;
      for (int64_t i = 0; i < n; ++i) {
        const Block block = start.block_at(i / 4);
        const uint32_t* pair = &block[i % 4 / 2 * 2];
        const long double radius = std::sqrt(-2 * std::log((pair[0] + 1.0L) * 0x1p-32L));
        const long double angle = 2 * std::numbers::pi_v<long double> * (pair[1] * 0x1p-32L);
        const long double expected =
            1 + 2 * radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
        // A float's rounding, and that of a double angle below 2π for a radius below 7.
        const long double half_ulp = dtype == DType::float32 ? 0x1p-24L * std::abs(expected) : 0;
        wrong += !(std::abs(values[i] - expected) <= half_ulp + 1e-14L);
      }
      CHECK(wrong == 0);
    }
}

DEVICE_TEST_CASE("integers are the same on every device") {
  Rng rng(33), of_cpu(33);
  const Tensor drawn = rng.integers({2, 50}, -3, 30, device);
  CHECK(drawn.device() == device);
  CHECK(drawn.to_vector<int32_t>() == of_cpu.integers({2, 50}, -3, 30).to_vector<int32_t>());
  CHECK(rng.counter() == of_cpu.counter());
}

TEST_CASE("fills are the same for any number of threads") {
  const int threads = num_threads();
  std::vector<std::vector<float>> uniform, normal;
  for (const int count : {1, 2}) {
    set_num_threads(count);
    Rng rng(2);
    uniform.push_back(rng.uniform({100003}, -1, 1).to_vector<float>());
    normal.push_back(rng.normal({100003}, 0, 1).to_vector<float>());
  }
  set_num_threads(threads);
  CHECK(uniform[0] == uniform[1]);
  CHECK(normal[0] == normal[1]);
}

TEST_CASE("uniform and normal have their ranges and moments") {
  constexpr int64_t kCount = 200000;
  for (const DType dtype : {DType::float32, DType::float64}) {
    Rng rng(3);
    const auto uniform = rng.uniform({kCount}, 2, 5, dtype).to(DType::float64).to_vector<double>();
    CHECK(*std::min_element(uniform.begin(), uniform.end()) >= 2);
    CHECK(*std::max_element(uniform.begin(), uniform.end()) <= 5);
    const double mean = std::accumulate(uniform.begin(), uniform.end(), 0.0) / kCount;
    CHECK(std::abs(mean - 3.5) <= 5 * std::sqrt(9 / 12.0 / kCount));
    constexpr int kBins = 30;
    std::array<int, kBins> counts{};
    for (const double x : uniform)
      ++counts[std::min(kBins - 1, static_cast<int>((x - 2) / 3 * kBins))];
    CHECK(chi_square(counts, kCount) <= 58.30);  // 29 degrees of freedom, p = 0.001

    const auto normal = rng.normal({kCount}, 1, 2, dtype).to(DType::float64).to_vector<double>();
    std::array<double, 4> moments{};
    for (const double x : normal)
      for (int k = 0; k < 4; ++k) moments[k] += std::pow((x - 1) / 2, k + 1) / kCount;
    // Five standard errors: the k-th moment's variance is E[Z²ᵏ] − E[Zᵏ]².
    const std::array<double, 4> expected{0, 1, 0, 3}, variance{1, 2, 15, 96};
    for (int k = 0; k < 4; ++k)
      CHECK(std::abs(moments[k] - expected[k]) <= 5 * std::sqrt(variance[k] / kCount));
  }
}

TEST_CASE("below() is fair") {
  Rng rng(4);
  constexpr int kBins = 7, kDraws = 70000;
  std::array<int, kBins> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts[rng.below(kBins)];
  CHECK(chi_square(counts, kDraws) <= 22.46);  // 6 degrees of freedom, p = 0.001
  CHECK(rng.below(1) == 0);

  // Of 2⁶⁴ mod (3 · 2⁶²), the first third of the results would come twice as often as the others.
  std::array<int, 3> thirds{};
  for (int i = 0; i < kDraws; ++i) ++thirds[rng.below(uint64_t{3} << 62) >> 62];
  CHECK(chi_square(thirds, kDraws) <= 13.82);  // 2 degrees of freedom, p = 0.001
  const uint64_t huge = (uint64_t{1} << 63) + 1;
  for (int i = 0; i < 100; ++i) CHECK(rng.below(huge) < huge);
}

TEST_CASE("single numbers have their ranges too") {
  Rng rng(11);
  double lowest = 1, highest = 0, mean = 0;
  constexpr int kDraws = 10000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.uniform();
    lowest = std::min(lowest, x);
    highest = std::max(highest, x);
    mean += x / kDraws;
  }
  CHECK(lowest >= 0);
  CHECK(highest < 1);
  CHECK(std::abs(mean - 0.5) <= 5 * std::sqrt(1 / 12.0 / kDraws));
  CHECK(uniform_float(0) == 0);
  CHECK(uniform_float(~uint32_t{0}) == 1 - 0x1p-24f);
}

TEST_CASE("integers stay in their range and reach its ends") {
  const auto values = Rng(5).integers({1000}, -3, 3).to_vector<int32_t>();
  CHECK(*std::min_element(values.begin(), values.end()) == -3);
  CHECK(*std::max_element(values.begin(), values.end()) == 2);

  constexpr int32_t kLow = std::numeric_limits<int32_t>::min();
  constexpr int32_t kHigh = std::numeric_limits<int32_t>::max();
  const auto wide = Rng(5).integers({1000}, kLow, kHigh).to_vector<int32_t>();
  CHECK(*std::min_element(wide.begin(), wide.end()) < kLow / 2);
  CHECK(*std::max_element(wide.begin(), wide.end()) > kHigh / 2);
}

TEST_CASE("permutation holds every number once, in an order of its own") {
  Rng rng(6);
  const std::vector<int64_t> first = rng.permutation(1000), second = rng.permutation(1000);
  CHECK(first != second);
  std::vector<int64_t> sorted = first, expected(1000);
  std::sort(sorted.begin(), sorted.end());
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(sorted == expected);
  CHECK(rng.permutation(0).empty());
  CHECK(rng.permutation(1) == std::vector<int64_t>{0});
}

TEST_CASE("all orders are equally likely") {
  Rng rng(12);
  constexpr int kDraws = 24000;
  std::map<std::vector<int64_t>, int> count_of;
  for (int i = 0; i < kDraws; ++i) ++count_of[rng.permutation(4)];
  std::vector<int> counts;
  for (const auto& [order, count] : count_of) counts.push_back(count);
  REQUIRE(counts.size() == 24);
  CHECK(chi_square(counts, kDraws) <= 49.73);  // 23 degrees of freedom, p = 0.001
}

TEST_CASE("manual_seed starts the layers' streams again") {
  manual_seed(9);
  const uint32_t first = next_stream("init").bits(), second = next_stream("init").bits();
  CHECK(first != second);
  manual_seed(9);
  CHECK(next_stream("dropout").bits() != first);
  CHECK(next_stream("init").bits() == first);
  manual_seed(10);
  CHECK(next_stream("init").bits() != first);
}

TEST_CASE("impossible requests are refused") {
  Rng rng(7);
  CHECK_THROWS_WITH_AS(rng.below(0), "Rng::below: the bound must be at least 1", Error);
  CHECK_THROWS_WITH_AS(rng.integers({2}, 3, 3), "Rng::integers: [3, 3) is empty", Error);
  CHECK_THROWS_WITH_AS(rng.permutation(-1), "Rng::permutation: -1 is negative", Error);
  CHECK_THROWS_WITH_AS(rng.normal({2}, 0, 1, DType::int32),
                       "Rng::normal: expected float32 or float64, got int32", Error);
  CHECK_THROWS_AS(rng.uniform({2}, 0, 1, DType::int32), Error);
}
