#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>
#include <vector>

#include "fiber.h"

namespace emu {

/// Whether a kernel's own code runs, rather than the host's or the emulation's.
extern bool in_kernel;
/// Held while the emulation works on a kernel's behalf. The linker may have picked an instrumented
/// copy of an inline function, such as std::vector's, whose accesses are not the kernel's.
class OutsideKernel {
 public:
  OutsideKernel() : before_(in_kernel) { in_kernel = false; }
  ~OutsideKernel() { in_kernel = before_; }

 private:
  bool before_;
};

constexpr int kWarpLanes = 32;

/// The block that runs: its threads, who of them waits where, and who goes on next.
///
/// A thread is left only where it must wait, straight to the next one that can run; so one fiber
/// runs many threads of a kernel without barriers. `Time` counts accesses and barriers, and orders
/// them for the checks of races.
class Block {
 public:
  using Time = uint64_t;

  void begin_launch(const Launch&);
  /// Runs every thread to its end, or to the first fault.
  void run(uint3 index);
  void end_launch();

  bool failed() const { return failed_; }
  const std::string& complaint() const { return complaint_; }
  cudaError_t error() const { return error_; }

  // What the running thread calls.
  void wait_for_block(const Place&);
  const Gathered& wait_for_warp(unsigned mask, Collective, const void* value, size_t bytes,
                                const Place&);
  unsigned lane() const { return threads_[running_].lane; }

  /// Ends the launch with a fault of the running thread, whose frames are unwound; those of the
  /// others are abandoned.
  [[noreturn]] void fail(const std::string& complaint);
  /// The same from the compiler's hooks, which may not throw: this thread's frames are abandoned
  /// too.
  [[noreturn]] void fail_in_hook(cudaError_t, const std::string& complaint);

  // What the checks of accesses ask.
  int running_thread() const { return running_; }
  uint32_t serial() const { return serial_; }
  uint32_t launch_serial() const { return launch_serial_; }
  Time tick() { return ++now_; }
  /// Whether a barrier of the block, or of all lanes of the running thread's warp, came after.
  bool block_met_since(Time time) const { return block_met_ > time; }
  bool own_warp_met_since(Time time) const { return warps_[threads_[running_].warp].met > time; }
  /// Whether what `thread` did at `time` comes before all that the running thread does now.
  bool is_ordered_after(int thread, Time time) const {
    return thread == running_ || block_met_since(time) ||
           (thread / kWarpLanes == running_ / kWarpLanes && own_warp_met_since(time));
  }
  bool is_argument(const void* address) const;
  bool is_on_own_stack(const void* address) const { return fiber_->has_on_stack(address); }
  bool is_on_other_stack(const void* address) const;
  std::string thread_name(int thread) const;

 private:
  enum class State : uint8_t {
    unstarted,
    ready,
    running,
    at_block_barrier,
    at_collective,
    returned
  };
  struct Thread {
    State state;
    uint8_t lane;
    uint16_t warp;
    uint3 index;
    Fiber* fiber;
    Place place;  ///< where it waits
  };
  /// Where the lanes of a warp meet. Of two meetings in turn the values lie apart: a fast lane may
  /// come to the next one while a slow one has yet to read.
  struct Warp {
    uint32_t existing, living;  ///< lanes: all, and those that have not returned
    Time met;
    Collective kind;
    Place place;
    uint32_t arrived;
    unsigned meetings;
    Gathered gathered[2];
  };

  static void run_threads();
  void run_thread(int thread);
  void retire(int thread);
  /// Takes the next fiber to go on: one that is ready, one for a thread that has not begun, or the
  /// scheduler's where there is neither.
  Fiber& next_fiber();
  Fiber& idle_fiber();
  void switch_to(Fiber&);
  void resume(int thread);
  void wait(State);
  /// The last to arrive goes on at once; in a random order only when its turn comes.
  void pass();
  void make_ready(int thread);
  bool release_warp_if_complete(Warp&);
  void complain(cudaError_t, const std::string& complaint);
  std::string deadlock() const;

  Launch launch_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<int> order_;  ///< in which threads begin
  size_t begun_ = 0;
  std::vector<int> ready_;
  size_t first_ready_ = 0;
  size_t waiting_ = 0, returned_ = 0;  ///< at the barrier, and for good
  int running_ = -1;

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  std::unique_ptr<Fiber> scheduler_;
  Fiber* fiber_ = nullptr;  ///< that runs

  Time now_ = 1, block_met_ = 0;
  uint32_t serial_ = 0, launch_serial_ = 0;  ///< of blocks and launches, over the whole program

  bool failed_ = false;
  std::string complaint_;
  cudaError_t error_ = cudaSuccess;
};

/// The only one: there is one device, and its blocks run one after another.
Block& block();

}  // namespace emu
