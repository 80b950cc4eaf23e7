#include "block.h"

#include <emu/emulator.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "errors.h"
#include "random.h"

namespace emu {

Indices indices{};
bool in_kernel = false;

namespace {

/// Unwinds the thread that failed.
struct Abandon {};

bool in_random_order() { return settings().seed != 0; }

}  // namespace

Block& block() {
  static Block& block = *new Block;  // fibers may be left behind in it when the program ends
  return block;
}

// --- a launch and its blocks

void Block::begin_launch(const Launch& launch) {
  launch_ = launch;
  failed_ = false;
  running_ = -1;
  const dim3& size = launch.block;
  threads_.resize(size.x * size.y * size.z);
  order_.resize(threads_.size());
  warps_.resize((threads_.size() + kWarpLanes - 1) / kWarpLanes);
  for (unsigned t = 0; t < threads_.size(); ++t) {
    order_[t] = static_cast<int>(t);
    threads_[t].lane = static_cast<uint8_t>(t % kWarpLanes);
    threads_[t].warp = static_cast<uint16_t>(t / kWarpLanes);
    threads_[t].index = {t % size.x, t / size.x % size.y, t / (size.x * size.y)};
  }
  indices.block_size = launch.block;
  indices.grid_size = launch.grid;
  ++launch_serial_;
  scheduler_ = std::make_unique<Fiber>();
  fiber_ = scheduler_.get();
}

void Block::end_launch() {
  launch_.arguments.reset();
  if (!failed_) return;
  idle_.clear();  // those that were left in the middle of a thread are as good as the others
  for (const auto& fiber : fibers_) idle_.push_back(fiber.get());
}

void Block::run(uint3 index) {
  indices.block = index;
  for (Thread& thread : threads_) thread.state = State::unstarted;
  for (size_t w = 0; w < warps_.size(); ++w) {
    const size_t lanes = std::min<size_t>(kWarpLanes, threads_.size() - w * kWarpLanes);
    warps_[w].existing = warps_[w].living = ~uint32_t{0} >> (kWarpLanes - lanes);
    warps_[w].arrived = 0;
    warps_[w].met = 0;
  }
  if (in_random_order())
    for (size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[random_below(static_cast<uint32_t>(i))]);
  ready_.clear();
  first_ready_ = begun_ = waiting_ = returned_ = 0;
  block_met_ = ++now_;
  ++serial_;
  for (;;) {
    Fiber& next = next_fiber();
    if (&next == scheduler_.get()) break;
    switch_to(next);
    if (failed_) return;
  }
  if (returned_ != threads_.size()) {
    running_ = -1;
    complain(cudaErrorLaunchFailure, deadlock());
  }
}

std::string Block::deadlock() const {
  std::map<std::string, int> places;
  for (const Thread& thread : threads_)
    ++places[thread.state == State::returned           ? "returned"
             : thread.state == State::at_block_barrier ? "in __syncthreads" + at(thread.place)
                                                       : "in a warp collective" + at(thread.place)];
  std::string text = "deadlock: no thread of the block can go on";
  for (const auto& [place, count] : places)
    text += "\n  " + std::to_string(count) + " threads " + place;
  return text;
}

// --- threads on fibers

void Block::run_threads() {
  Fiber::begin_entry();
  Block& self = block();
  Fiber* const fiber = self.fiber_;
  for (;;) {
    self.run_thread(self.order_[self.begun_++]);
    self.idle_.push_back(fiber);
    Fiber& next = self.failed_ ? *self.scheduler_ : self.next_fiber();
    if (&next != fiber) self.switch_to(next);  // and never back: it begins again then
  }
}

void Block::run_thread(int thread) {
  threads_[thread].fiber = fiber_;
  resume(thread);
  try {
    in_kernel = true;
    launch_.call(launch_.kernel, launch_.arguments.get());
    in_kernel = false;
    retire(thread);
  } catch (const Abandon&) {
    in_kernel = false;
  }
}

Fiber& Block::next_fiber() {
  const size_t waiting = ready_.size() - first_ready_;
  const bool can_begin = begun_ < threads_.size();
  if (waiting == 0 && !can_begin) return *scheduler_;
  const size_t choice = in_random_order()
                            ? random_below(static_cast<uint32_t>(waiting + (can_begin ? 1 : 0)))
                            : 0;  // whoever is ready first
  if (choice == waiting) return idle_fiber();
  std::swap(ready_[first_ready_], ready_[first_ready_ + choice]);
  const int thread = ready_[first_ready_++];
  if (first_ready_ == ready_.size()) {
    ready_.clear();
    first_ready_ = 0;
  }
  return *threads_[thread].fiber;
}

Fiber& Block::idle_fiber() {
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(&Block::run_threads));
    return *fibers_.back();
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  if (&fiber != fiber_) fiber.restart();  // else it just goes on with another thread
  return fiber;
}

void Block::switch_to(Fiber& next) {
  Fiber& left = *fiber_;
  fiber_ = &next;
  left.switch_to(next);
}

void Block::resume(int thread) {
  running_ = thread;
  threads_[thread].state = State::running;
  indices.thread = threads_[thread].index;
}

void Block::wait(State state) {
  const int thread = running_;
  threads_[thread].state = state;
  Fiber& next = next_fiber();
  if (&next != fiber_) switch_to(next);
  resume(thread);
}

void Block::pass() {
  if (!in_random_order()) return;
  make_ready(running_);
  wait(State::ready);
}

void Block::make_ready(int thread) {
  threads_[thread].state = State::ready;
  ready_.push_back(thread);
}

void Block::retire(int thread) {
  Thread& leaving = threads_[thread];
  leaving.state = State::returned;
  ++returned_;
  Warp& warp = warps_[leaving.warp];
  warp.living &= ~(1u << leaving.lane);
  if (warp.arrived != 0)
    complain(cudaErrorLaunchFailure,
             "a lane returned while others of its warp wait in a warp collective" + at(warp.place));
  if (waiting_ != 0)
    for (const Thread& other : threads_)
      if (other.state == State::at_block_barrier && !failed_)
        complain(
            cudaErrorLaunchFailure,
            "a thread returned while others of its block wait in __syncthreads" + at(other.place));
}

// --- barriers

void Block::wait_for_block(const Place& place) {
  const OutsideKernel outside;
  threads_[running_].place = place;
  if (returned_ != 0) fail("__syncthreads after a thread of the block has returned" + at(place));
  if (waiting_ != 0)
    for (const Thread& other : threads_)
      if (other.state == State::at_block_barrier) {
        if (!same_place(other.place, place))
          fail("divergent __syncthreads: one thread waits" + at(other.place) + ", another arrives" +
               at(place));
        break;  // the others wait where it does
      }
  if (++waiting_ < threads_.size()) return wait(State::at_block_barrier);
  waiting_ = 0;
  block_met_ = ++now_;
  for (const int thread : order_)
    if (thread != running_) make_ready(thread);
  pass();
}

const Gathered& Block::wait_for_warp(unsigned mask, Collective kind, const void* value,
                                     size_t bytes, const Place& place) {
  const OutsideKernel outside;
  Thread& me = threads_[running_];
  Warp& warp = warps_[me.warp];
  me.place = place;
  if (mask != ~0u) fail("warp collective: the emulation knows masks of all lanes only" + at(place));
  if (warp.living != warp.existing)
    fail("warp collective: the mask names lanes that have returned" + at(place));
  if (warp.arrived == 0) {
    warp.kind = kind;
    warp.place = place;
  } else if (warp.kind != kind || !same_place(warp.place, place)) {
    fail("divergent warp collective: lanes of one warp meet" + at(warp.place) + " and" + at(place));
  }
  Gathered& gathered = warp.gathered[warp.meetings % 2];
  if (bytes > 0) std::memcpy(gathered.values[me.lane], value, bytes);
  warp.arrived |= 1u << me.lane;
  if (warp.arrived != warp.living) {
    wait(State::at_collective);
    return gathered;
  }
  gathered.lanes = std::exchange(warp.arrived, 0);
  ++warp.meetings;
  warp.met = ++now_;
  const int first = me.warp * kWarpLanes, own_lane = me.lane;
  for (int lane = 0; lane < kWarpLanes; ++lane)
    if (lane != own_lane && (gathered.lanes >> lane & 1)) make_ready(first + lane);
  pass();
  return gathered;
}

// --- faults

void Block::complain(cudaError_t error, const std::string& complaint) {
  in_kernel = false;
  failed_ = true;
  error_ = error;
  complaint_ = complaint + "\n  in " + function_name(launch_.kernel);
  if (running_ >= 0) complaint_ += ", " + thread_name(running_);
}

void Block::fail(const std::string& complaint) {
  complain(cudaErrorLaunchFailure, complaint);
  throw Abandon{};
}

void Block::fail_in_hook(cudaError_t error, const std::string& complaint) {
  complain(error, complaint);
  switch_to(*scheduler_);
  __builtin_unreachable();
}

std::string Block::thread_name(int thread) const {
  const auto text = [](const uint3& index) {
    return "(" + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
           std::to_string(index.z) + ")";
  };
  return "block " + text(indices.block) + " thread " + text(threads_[thread].index);
}

// --- what the checks of accesses ask

bool Block::is_argument(const void* address) const {
  const char* byte = static_cast<const char*>(address);
  const char* arguments = static_cast<const char*>(launch_.arguments.get());
  return byte >= arguments && byte < arguments + launch_.argument_bytes;
}

bool Block::is_on_other_stack(const void* address) const {
  return std::any_of(fibers_.begin(), fibers_.end(),
                     [&](const auto& fiber) { return fiber->has_on_stack(address); });
}

// --- what kernels call

void block_barrier(Place place) { block().wait_for_block(place); }

const Gathered& meet_warp(unsigned mask, Collective kind, const void* value, size_t bytes,
                          Place place) {
  return block().wait_for_warp(mask, kind, value, bytes, place);
}

unsigned lane() { return block().lane(); }

void shuffle(unsigned mask, void* value, size_t bytes, unsigned source, Place place) {
  const OutsideKernel outside;
  const Gathered& gathered = meet_warp(mask, Collective::shuffle, value, bytes, place);
  if (gathered.lanes >> source & 1)
    std::memcpy(value, gathered.values[source], bytes);
  else
    std::memset(value, 0xff, bytes);
}

}  // namespace emu
