#include <algorithm>
#include <exception>
#include <memory>
#include <thread>

#include <pade/core/thread_pool.h>

namespace pade {
namespace {

constexpr int kSpins = 1000;  // some 10 to 50 microseconds

// Parts of the state.
constexpr uint32_t kOpen = 1u << 31;
constexpr int kMayEnterShift = 16;
constexpr uint32_t kMostHelpers = 0x7fff, kInside = 0xffff;

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

}  // namespace

ThreadPool& ThreadPool::instance() {
  static ThreadPool* const pool = std::make_unique<ThreadPool>().release();
  return *pool;
}

bool ThreadPool::run(int64_t count, int helpers, Run run, void* context) {
  const std::unique_lock lock(busy_, std::try_to_lock);
  if (!lock) return false;
  grow(helpers);
  run_ = run;
  context_ = context;
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  const uint32_t may_enter = std::min(static_cast<uint32_t>(helpers), kMostHelpers);
  state_.store(kOpen | may_enter << kMayEnterShift, std::memory_order_release);
  begun_.fetch_add(1, std::memory_order_release);
  begun_.notify_all();
  work();
  wait_until_left();
  return true;
}

void ThreadPool::grow(int helpers) {
  try {
    for (; threads_ < helpers; ++threads_) std::thread([this] { help(); }).detach();
  } catch (const std::exception&) {
    // The system has no more threads, or memory for them: those that there are do the work.
  }
}

void ThreadPool::help() {
  for (uint32_t seen = 0;;) {
    wait_for_change(begun_, seen);
    seen = begun_.load(std::memory_order_acquire);
    if (!enter()) continue;
    work();
    leave();
  }
}

bool ThreadPool::enter() {
  uint32_t state = state_.load(std::memory_order_acquire);
  for (;;) {
    const uint32_t inside = state & kInside;
    if (!(state & kOpen) || inside >= (state >> kMayEnterShift & kMostHelpers)) return false;
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel,
                                     std::memory_order_acquire))
      return true;
  }
}

void ThreadPool::leave() {
  state_.fetch_sub(1, std::memory_order_acq_rel);
  left_.fetch_add(1, std::memory_order_release);
  left_.notify_one();
}

void ThreadPool::work() {
  for (int64_t block; (block = next_.fetch_add(1, std::memory_order_relaxed)) < count_;)
    run_(context_, block);
}

void ThreadPool::wait_until_left() {
  state_.fetch_and(~kOpen, std::memory_order_acq_rel);
  for (;;) {
    const uint32_t left = left_.load(std::memory_order_acquire);
    if ((state_.load(std::memory_order_acquire) & kInside) == 0) return;
    wait_for_change(left_, left);
  }
}

}  // namespace pade
