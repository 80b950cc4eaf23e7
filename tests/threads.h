#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace pade::testing {

/// Calls f(0), …, f(count − 1), each on a thread of its own; none begins before all are there.
template <class F>
void at_once(int count, F&& f) {
  std::latch start(count);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < count; ++thread)
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      f(thread);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pade::testing
