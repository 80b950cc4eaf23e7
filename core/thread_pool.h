#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace pade {

/// Threads that help with the blocks of one loop at a time. Blocks are handed out one by one, and
/// the caller takes part: it never waits for a helper that has not begun, so a loop on a machine
/// that has other work takes no longer than on one thread. Helpers that have nothing to do spin for
/// some ten microseconds, the time between two loops of a network, and then sleep.
class ThreadPool {
 public:
  using Run = void (*)(void* context, int64_t block);

  /// The process's own. It is never destroyed: helpers sleep until the process ends.
  static ThreadPool& instance();

  /// Calls run(context, block), which must not throw, for each block in [0, count): here, and on up
  /// to `helpers` more threads. Returns false, with nothing done, while another thread's loop has
  /// the pool.
  bool run(int64_t count, int helpers, Run run, void* context);

 private:
  void grow(int helpers);
  void help();
  /// Whether there is a loop that takes one more helper; then leave() must follow.
  bool enter();
  void leave();
  void work();
  void wait_until_left();

  std::mutex busy_;  // held by the thread whose loop it is
  int threads_ = 0;  // started so far

  // The loop at hand. These change only while it is closed and nobody is inside.
  Run run_ = nullptr;
  void* context_ = nullptr;
  int64_t count_ = 0;

  // Lines of their own: each is written by one side and read by the other all the time.
  alignas(64) std::atomic<int64_t> next_{0};    // block
  alignas(64) std::atomic<uint32_t> state_{0};  // open, how many may enter, how many are inside
  alignas(64) std::atomic<uint32_t> begun_{0};  // loops
  alignas(64) std::atomic<uint32_t> left_{0};   // how often a helper left
};

}  // namespace pade
