#include <omp.h>

#include <atomic>
#include <exception>
#include <mutex>

#include <pade/core/error.h>
#include <pade/core/parallel.h>

// libgomp is not instrumented, so ThreadSanitizer does not see that a parallel region starts after
// what came before it and ends before what comes after. These two calls tell it.
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define PADE_RELEASE(address) __tsan_release(address)
#define PADE_ACQUIRE(address) __tsan_acquire(address)
#else
#define PADE_RELEASE(address) (void)(address)
#define PADE_ACQUIRE(address) (void)(address)
#endif

namespace pade {
namespace {

std::atomic<int> thread_count{0};  // 0: not chosen yet

/// Keeps the first exception of a parallel region until the region is over.
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

struct Region {
  void (*run)(void*, int64_t);
  void* context;
  FirstException exception;

  void run_block(int64_t block) {
    PADE_ACQUIRE(this);
    try {
      run(context, block);
    } catch (...) {
      exception.store();
    }
    PADE_RELEASE(&exception);
  }
};

// Not instrumented: the code that the compiler makes of the pragma reads its frame before it can
// say that it has acquired it.
__attribute__((no_sanitize("thread"), noinline)) void run_region(Region& region, int64_t count,
                                                                 int threads) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (int64_t block = 0; block < count; ++block) region.run_block(block);
}

}  // namespace

int num_threads() {
  const int chosen = thread_count.load(std::memory_order_relaxed);
  return chosen ? chosen : omp_get_max_threads();
}

void set_num_threads(int n) {
  check(n >= 1, "set_num_threads: expected at least 1, got ", n);
  thread_count.store(n, std::memory_order_relaxed);
}

void detail::run_blocks(int64_t count, void (*run)(void*, int64_t), void* context) {
  const int threads = static_cast<int>(std::min<int64_t>(num_threads(), count));
  if (threads <= 1 || omp_in_parallel()) {
    for (int64_t block = 0; block < count; ++block) run(context, block);
    return;
  }
  Region region{run, context, {}};
  PADE_RELEASE(&region);
  run_region(region, count, threads);
  PADE_ACQUIRE(&region.exception);
  region.exception.rethrow();
}

}  // namespace pade
