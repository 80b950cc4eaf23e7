#include <doctest/doctest.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <pade/core/error.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/elementwise.h>
#include <pade/core/ops/reduce.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>

using namespace pade;

namespace {

class ThreadCount {
 public:
  explicit ThreadCount(int n) : before_(num_threads()) { set_num_threads(n); }
  ~ThreadCount() { set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace

TEST_CASE("blocks cover everything once, whatever the number of threads") {
  for (const int threads : {1, 2, 5})
    for (const int64_t n : {0, 1, 9, 10, 11, 1000}) {
      const ThreadCount count(threads);
      std::vector<std::atomic<int>> visits(n);
      parallel_for(n, 10, [&](int64_t begin, int64_t end) {
        CHECK(begin % 10 == 0);
        CHECK(end - begin <= 10);
        for (int64_t i = begin; i < end; ++i) ++visits[i];
      });
      int wrong = 0;
      for (const auto& visit : visits) wrong += visit != 1;
      CHECK(wrong == 0);
    }
}

TEST_CASE("an exception in a block reaches the caller") {
  const ThreadCount count(2);
  CHECK_THROWS_WITH_AS(parallel_blocks(100, [](int64_t block) { check(block != 37, "block 37"); }),
                       "block 37", Error);
}

TEST_CASE("a loop inside a loop runs where it is") {
  const ThreadCount count(2);
  std::atomic<int> visits = 0;
  parallel_blocks(4, [&](int64_t) { parallel_blocks(5, [&](int64_t) { ++visits; }); });
  CHECK(visits == 20);
}

TEST_CASE("loops of several threads do not mix") {
  const ThreadCount count(3);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller)
    callers.emplace_back([&wrong, caller] {
      for (int64_t loop = 0; loop < 2000; ++loop) {
        const int64_t n = 1 + (loop * 7 + caller) % 20;
        std::atomic<int64_t> total = 0;
        parallel_blocks(n, [&](int64_t block) { total += block + 1; });
        wrong += total != n * (n + 1) / 2;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("the number of threads is a limit, before and after it changes") {
  for (const int threads : {4, 2, 3}) {
    const ThreadCount count(threads);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    for (int loop = 0; loop < 50; ++loop) {
      seen.clear();
      parallel_blocks(40, [&](int64_t) {
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
      });
      CHECK(static_cast<int>(seen.size()) <= threads);
      CHECK_FALSE(seen.empty());
    }
  }
}

TEST_CASE("helpers that sleep wake up") {
  const ThreadCount count(2);
  for (int loop = 0; loop < 3; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    // Two blocks that wait for each other need two threads.
    std::atomic<int> arrived = 0;
    parallel_blocks(2, [&](int64_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    CHECK(arrived == 2);
  }
}

namespace {

/// Has the calling thread round up, and take subnormal numbers for 0 where there is such a mode.
class UnusualMode {
 public:
  UnusualMode() {
    std::fegetenv(&before_);
    std::fesetround(FE_UPWARD);
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040);  // FTZ and DAZ
#endif
  }
  ~UnusualMode() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_;
};

/// What depends on the mode.
std::vector<float> computed_here() {
  volatile float one = 1, three = 3, tiny = 1e-40f, two = 2;
  volatile long double wide_one = 1, wide_three = 3;
  return {one / three, -one / three, tiny * two,
          static_cast<float>((wide_one / wide_three - 1 / 3.0L) * 1e19L)};
}

/// computed_here() on two threads, which wait for each other.
std::vector<std::vector<float>> computed_on_two() {
  std::atomic<int> arrived = 0;
  std::vector<std::vector<float>> results(2);
  parallel_blocks(2, [&](int64_t block) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
    results[block] = computed_here();
  });
  return results;
}

}  // namespace

TEST_CASE("blocks are computed in the caller's floating-point mode, on every thread") {
  const ThreadCount count(2);
  const std::vector<float> usual = computed_here();
  for (int change = 0; change < 3; ++change) {
    CHECK(computed_on_two() == std::vector{usual, usual});
    const UnusualMode mode;
    const std::vector<float> unusual = computed_here();
    CHECK(unusual != usual);
    CHECK(computed_on_two() == std::vector{unusual, unusual});
  }
}

TEST_CASE("ops have the same bits for any number of threads in every mode") {
  const Tensor x = Rng(1).normal({300, 400}, 0, 1), small = x * 1e-38;
  const auto results = [&](int threads) {
    const ThreadCount count(threads);
    const Tensor y = tanh(x / 3.0) + small / 3.0;
    return std::pair(y.to_vector<float>(), sum(y).item());
  };
  const auto usual = results(1);
  const UnusualMode mode;
  const auto expected = results(1);
  CHECK(expected != usual);
  int different = 0;
  for (int run = 0; run < 20; ++run) different += results(4) != expected;
  CHECK(different == 0);
}

TEST_CASE("at least one thread is needed") {
  CHECK_THROWS_WITH_AS(set_num_threads(0), "set_num_threads: expected at least 1, got 0", Error);
}
