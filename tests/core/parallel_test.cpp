#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/parallel.h>

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

TEST_CASE("at least one thread is needed") {
  CHECK_THROWS_WITH_AS(set_num_threads(0), "set_num_threads: expected at least 1, got 0", Error);
}
