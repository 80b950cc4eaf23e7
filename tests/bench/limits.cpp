#include "limits.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <limits>
#include <map>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>

namespace pade::bench {
namespace {

// The latency of an FMA, four cycles, times two of them a cycle are eight; some processors need
// more.
constexpr int kRegisters = 12;

/// Of so many chains, that none is left out as unused.
float multiply_add(int64_t count, float factor, float summand) {
  Lanes<float> sums[kRegisters];
  for (int i = 0; i < kRegisters; ++i) sums[i] = Lanes<float>{} + static_cast<float>(i);
  for (int64_t n = 0; n < count; ++n)
    for (int i = 0; i < kRegisters; ++i) sums[i] = sums[i] * factor + summand;
  Lanes<float> all{};
  for (const Lanes<float>& sum : sums) all += sum;
  return static_cast<float>(sum_lanes<float>(all));
}

void copy_past_caches(float* to, const float* from, int64_t n) {
  for (int64_t i = 0; i < n; i += kLaneCount<float>)
    stream_lanes<float>(to + i, load_lanes(from + i));
  finish_streaming();
}

/// The repetitions of one thread.
int64_t repeats(int64_t bytes) { return std::max<int64_t>(1, 2 * kCopied / bytes); }

/// Of the fastest of many repetitions in a tenth of a second, but of at least three.
double fastest_seconds(const Work& work) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  const auto begin = Clock::now();
  double fastest = std::numeric_limits<double>::infinity();
  for (int n = 0; n < 3 || Seconds(Clock::now() - begin).count() < .1; ++n) {
    const auto start = Clock::now();
    work();
    fastest = std::min(fastest, Seconds(Clock::now() - start).count());
  }
  return fastest;
}

double flops_per_second() {
  constexpr int64_t kCount = 1 << 16;
  static const double rate =
      flops_of_fused_multiply_adds(kCount) / fastest_seconds(fused_multiply_adds(kCount));
  return rate;
}

/// Where threads copy `bytes` together, rounded up to a power of two: caches make the difference.
double bytes_per_second(double bytes) {
  constexpr double kFewest = 4096, kMost = 256 << 20;  // in caches for sure, and surely not
  constexpr int64_t kInCaches = 1 << 20;               // where writing past them is slower
  const auto per_thread = static_cast<int64_t>(
      std::bit_ceil(static_cast<uint64_t>(std::clamp(bytes / num_threads(), kFewest, kMost))));
  static std::map<int64_t, double> rates;
  double& rate = rates[per_thread];
  if (rate == 0) {
    const auto measured = [&](bool streaming) {
      return bytes_of_copies(per_thread) / fastest_seconds(copies(per_thread, streaming));
    };
    rate = measured(false);
    if (per_thread > kInCaches) rate = std::max(rate, measured(true));
  }
  return rate;
}

}  // namespace

Work fused_multiply_adds(int64_t count) {
  Tensor sums = Tensor::zeros({num_threads()});
  return [=]() mutable {
    float* sum = sums.mutable_data<float>();
    // Of constants the compiler would make sums beforehand.
    volatile float factor = .5F, summand = 1;
    parallel_blocks(sums.size(),
                    [&](int64_t thread) { sum[thread] = multiply_add(count, factor, summand); });
  };
}

double flops_of_fused_multiply_adds(int64_t count) {
  return 2. * static_cast<double>(count) * kRegisters * kLaneCount<float> * num_threads();
}

Work copies(int64_t bytes, bool streaming) {
  const int64_t elements = bytes / 2 / static_cast<int64_t>(sizeof(float));
  const Tensor source = random_numbers({num_threads(), elements});
  Tensor destination = Tensor::zeros_like(source);
  return [=]() mutable {
    const float* from = source.data<float>();
    float* to = destination.mutable_data<float>();
    parallel_blocks(source.extent(0), [&](int64_t thread) {
      const int64_t offset = thread * elements;
      for (int64_t i = 0; i < repeats(bytes); ++i)
        if (streaming)
          copy_past_caches(to + offset, from + offset, elements);
        else
          std::memcpy(to + offset, from + offset, static_cast<size_t>(bytes / 2));
    });
  };
}

double bytes_of_copies(int64_t bytes) {
  return static_cast<double>(repeats(bytes)) * static_cast<double>(bytes) * num_threads();
}

double least_seconds(Cost cost) {
  return std::max(cost.flops > 0 ? cost.flops / flops_per_second() : 0,
                  cost.bytes > 0 ? cost.bytes / bytes_per_second(cost.bytes) : 0);
}

}  // namespace pade::bench
