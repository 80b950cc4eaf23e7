#include <sched.h>

#include <atomic>
#include <cfenv>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <pade/core/error.h>
#include <pade/core/parallel.h>

namespace pade {
namespace {

constexpr int kSpins = 1000;  // some 10 to 50 microseconds

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

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns when `value` is no longer `old`.
void wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

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

struct Loop {
  int64_t count;
  void (*run)(void* context, int64_t block);
  void* context;
  FloatingPointMode mode = {};  // the caller's
  std::mutex mutex = {};        // of the first exception that a block threw
  std::exception_ptr exception = {};

  void run_block(int64_t block) noexcept {
    mode.adopt();
    try {
      run(context, block);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!exception) exception = std::current_exception();
    }
  }
};

/// Threads that help with the blocks of one loop at a time. Blocks are handed out one by one, and
/// the caller takes part: it never waits for a helper that has not begun, so a loop on a machine
/// that has other work takes no longer than on one thread. Helpers that have nothing to do spin for
/// some ten microseconds, the time between two loops of a network, and then sleep.
class ThreadPool {
 public:
  /// Never destroyed: helpers sleep until the process ends.
  static ThreadPool& instance() {
    static ThreadPool* const pool = std::make_unique<ThreadPool>().release();
    return *pool;
  }

  /// Runs the loop here and on up to `helpers` more threads. Returns false, with nothing done,
  /// while another thread's loop has the pool.
  bool run(Loop& loop, int helpers) {
    const std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock) return false;
    grow(helpers);
    loop_ = &loop;
    next_.store(0, std::memory_order_relaxed);
    const uint32_t places = std::min(static_cast<uint32_t>(helpers), kMostHelpers);
    state_.store(places * kPlace, std::memory_order_release);
    begun_.fetch_add(1, std::memory_order_release);
    begun_.notify_all();
    work();
    state_.fetch_and(kInside, std::memory_order_acq_rel);  // no more places
    while (const uint32_t inside = state_.load(std::memory_order_acquire))
      wait_for_change(state_, inside);
    return true;
  }

 private:
  // Parts of the state: how many helpers are inside, and how many more may enter.
  static constexpr uint32_t kInside = 0xffff, kPlace = 0x10000, kMostHelpers = 0xffff;

  void grow(int helpers) {
    try {
      for (; threads_ < helpers; ++threads_) std::thread([this] { help(); }).detach();
    } catch (const std::exception&) {
      // The system has no more threads, or memory for them: those that there are do the work.
    }
  }

  void help() {
    for (uint32_t seen = 0;;) {
      wait_for_change(begun_, seen);
      seen = begun_.load(std::memory_order_acquire);
      if (!enter()) continue;
      work();
      state_.fetch_sub(1, std::memory_order_acq_rel);
      state_.notify_one();
    }
  }

  /// Takes one of the places, if there is one left.
  bool enter() {
    uint32_t state = state_.load(std::memory_order_acquire);
    while (state >= kPlace)
      if (state_.compare_exchange_weak(state, state - kPlace + 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire))
        return true;
    return false;
  }

  void work() {
    in_loop = true;
    for (int64_t block; (block = next_.fetch_add(1, std::memory_order_relaxed)) < loop_->count;)
      loop_->run_block(block);
    in_loop = false;
  }

  std::mutex busy_;       // held by the thread whose loop it is
  int threads_ = 0;       // started so far
  Loop* loop_ = nullptr;  // changes only while no helper is inside or may enter

  // Lines of their own: each is written by one side and read by the other all the time.
  alignas(64) std::atomic<int64_t> next_{0};  // block
  alignas(64) std::atomic<uint32_t> state_{0};
  alignas(64) std::atomic<uint32_t> begun_{0};  // loops
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
    Loop loop{count, run, context};
    if (ThreadPool::instance().run(loop, threads - 1)) {
      if (loop.exception) std::rethrow_exception(loop.exception);
      return;
    }
  }
  for (int64_t block = 0; block < count; ++block) run(context, block);
}

}  // namespace pade
