#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/thread_pool.h>

namespace pade {
namespace {

std::atomic<int> thread_count{0};  // 0: not chosen yet
thread_local bool in_loop = false;

/// What OMP_NUM_THREADS asks for, as other programs take it; else the processors that this process
/// may run on.
int usual_thread_count() {
  if (const char* asked = std::getenv("OMP_NUM_THREADS"))
    if (const int count = std::atoi(asked); count > 0) return count;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Keeps the first exception of a loop until the loop is over.
class FirstException {
 public:
  void store() {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = std::current_exception();
  }
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

struct Loop {
  void (*run)(void*, int64_t);
  void* context;
  FirstException exception;

  static void run_block(void* loop, int64_t block) {
    auto& self = *static_cast<Loop*>(loop);
    in_loop = true;
    try {
      self.run(self.context, block);
    } catch (...) {
      self.exception.store();
    }
    in_loop = false;
  }
};

}  // namespace

int num_threads() {
  static const int usual = usual_thread_count();
  const int chosen = thread_count.load(std::memory_order_relaxed);
  return chosen ? chosen : usual;
}

void set_num_threads(int n) {
  check(n >= 1, "set_num_threads: expected at least 1, got ", n);
  thread_count.store(n, std::memory_order_relaxed);
}

void detail::run_blocks(int64_t count, void (*run)(void*, int64_t), void* context) {
  const int threads = static_cast<int>(std::min<int64_t>(num_threads(), count));
  if (threads > 1 && !in_loop) {
    Loop loop{run, context, {}};
    if (ThreadPool::instance().run(count, threads - 1, Loop::run_block, &loop))
      return loop.exception.rethrow();
  }
  for (int64_t block = 0; block < count; ++block) run(context, block);
}

}  // namespace pade
