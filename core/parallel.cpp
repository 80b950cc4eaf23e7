#include <sched.h>

#include <atomic>
#include <cfenv>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/core/thread_pool.h>

namespace pade {
namespace {

std::atomic<int> thread_count{0};  // 0: not chosen yet
thread_local bool in_loop = false;

/// How a thread computes with floating-point numbers: what a host program can set.
struct FloatingPointMode {
  int rounding = std::fegetround();
#if defined(__SSE__)
  unsigned control = _mm_getcsr() & ~unsigned{_MM_EXCEPT_MASK};  // without what was raised so far
  void write_control() const { _mm_setcsr(control); }
#elif defined(__aarch64__)
  decltype(__builtin_aarch64_get_fpcr()) control = __builtin_aarch64_get_fpcr();
  void write_control() const { __builtin_aarch64_set_fpcr(control); }
#else
  int control = 0;
  void write_control() const {}
#endif

  /// Puts the calling thread into this mode. Reading is cheap, writing is not.
  void adopt() const {
    const FloatingPointMode now;
    if (now.rounding != rounding) std::fesetround(rounding);
    if (now.control != control) write_control();
  }
};

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
  FloatingPointMode mode;
  FirstException exception;

  static void run_block(void* loop, int64_t block) {
    auto& self = *static_cast<Loop*>(loop);
    in_loop = true;
    self.mode.adopt();
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
    Loop loop{run, context, {}, {}};
    if (ThreadPool::instance().run(count, threads - 1, Loop::run_block, &loop))
      return loop.exception.rethrow();
  }
  for (int64_t block = 0; block < count; ++block) run(context, block);
}

}  // namespace pade
