#include <doctest/doctest.h>

#include <atomic>
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

TEST_CASE("at least one thread is needed") {
  CHECK_THROWS_WITH_AS(set_num_threads(0), "set_num_threads: expected at least 1, got 0", Error);
}
