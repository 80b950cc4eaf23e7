// Runs a grid: blocks one after another, threads of a block as fibers.
#include <cxxabi.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <functional>
#include <map>
#include <unordered_map>
#include "internal.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if !defined(__x86_64__) || defined(EMU_UCONTEXT)
#include <ucontext.h>
#define EMU_USE_UCONTEXT 1
#endif

namespace emu {
Idx cur{};
bool in_kernel = false;
static Stats g_stats;
Stats& stats() { return g_stats; }
void reset_stats() { g_stats = {}; }
static uint64_t rng = 0;
uint32_t xrand() {
  rng ^= rng << 13;
  rng ^= rng >> 7;
  rng ^= rng << 17;
  return uint32_t(rng >> 20);
}

// ------------------------------------------------------------ context switch
#ifndef EMU_USE_UCONTEXT
extern "C" void emu_switch(void** save_sp, void* load_sp);
asm(R"(
.text
.p2align 4
.globl emu_switch
.type emu_switch,@function
emu_switch:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
  .cfi_endproc
.size emu_switch,.-emu_switch
)");
#endif
constexpr size_t kStack = 64 * 1024;
struct Fiber {
#ifdef EMU_USE_UCONTEXT
  ucontext_t uc;
#else
  void* sp = nullptr;
#endif
  char* stack = nullptr;
  void* fake = nullptr;
  int thread = -1;
};
enum St : uint8_t { New, Ready, Running, WaitBlock, WaitWarp, Done };
struct Rdv {  // one meeting point of the lanes in `mask`
  unsigned mask;
  Coll kind;
  uint32_t arrived = 0;
  uint32_t gen = 0;
  emu::Loc loc;
  alignas(16) char vals[2][32][8];
  WarpView view[2];
};
struct Thread {
  St st;
  uint8_t lane;
  uint16_t warp;
  Fiber* f;
  emu::Loc loc;
  Rdv* rdv;
  uint3 tid;
  uint64_t sync_time;
};
struct Warp {
  uint32_t live, exist;
  std::vector<std::unique_ptr<Rdv>> rdv;
  uint64_t full_time;
  uint64_t (*pair)[32];
};

struct Exec {
  LaunchDesc d;
  Invoke inv;
  const void* args;
  size_t args_bytes;
  std::vector<Thread> th;
  std::vector<Warp> warps;
  std::vector<int> order;
  std::vector<int> ready;
  size_t ready_head = 0;
  int next_new = 0;
  std::vector<Fiber*> idle;
  std::vector<std::unique_ptr<Fiber>> fibers;
  Fiber sched;
  Fiber* running = nullptr;
  int waiting = 0, done = 0, total = 0;
  int cur_t = -1;
  int bar_pred[3];
  int bar_result[2][3];
  unsigned bar_gen = 0;
  uint64_t bar_time = 0;
  bool failed = false;
  std::string report;
  cudaError_t code = cudaSuccess;
};
std::string symbol(const void*);
struct FiberAbort {};
static Exec* X = nullptr;
uint32_t block_serial = 0, launch_serial = 0;
uint64_t now_ = 1;

static void sw(Fiber* from, Fiber* to) {
  ++g_stats.switches;
#if defined(__SANITIZE_ADDRESS__)
  if (to == &X->sched)
    __sanitizer_start_switch_fiber(&from->fake, (void*)to->stack, size_t(to->thread));
  else
    __sanitizer_start_switch_fiber(&from->fake, to->stack, kStack);
#endif
  X->running = to;
#ifdef EMU_USE_UCONTEXT
  swapcontext(&from->uc, &to->uc);
#else
  emu_switch(&from->sp, to->sp);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from->fake, nullptr, nullptr);
#endif
}
static void set_cur(int t) {
  X->cur_t = t;
  cur.tid = X->th[t].tid;
}

static void release_warp(Warp& w, Rdv& r) {  // every live lane of r.mask has arrived
  uint64_t t = ++now_;
  int base = int(&w - X->warps.data()) * 32;
  WarpView& v = r.view[r.gen & 1];
  v.arrived = r.arrived;
  for (int i = 0; i < 32; ++i) v.val[i] = r.vals[r.gen & 1][i];
  if (r.arrived == w.live)
    w.full_time = t;
  else if (w.pair) {
    for (int a = 0; a < 32; ++a)
      if (r.arrived >> a & 1)
        for (int b = 0; b < 32; ++b)
          if (r.arrived >> b & 1) w.pair[a][b] = t;
  }
  for (int i = 0; i < 32; ++i)
    if (r.arrived >> i & 1) {
      Thread& o = X->th[base + i];
      if (o.st == WaitWarp) {
        o.st = Ready;
        X->ready.push_back(base + i);
      }
    }
  r.arrived = 0;
  ++r.gen;
}
static int pick() {  // next runnable thread: >=0 ready, -2 start a new one, -1 none
  auto& q = X->ready;
  size_t n = q.size() - X->ready_head;
  bool fresh = X->next_new < X->total;
  if (config().seed && n + fresh > 0) {
    size_t k = xrand() % (n + (fresh ? 1 : 0));
    if (k == n) return -2;
    std::swap(q[X->ready_head], q[X->ready_head + k]);
  } else if (n == 0)
    return fresh ? -2 : -1;
  int t = q[X->ready_head++];
  if (X->ready_head == q.size()) {
    q.clear();
    X->ready_head = 0;
  }
  return t;
}
static void fiber_main();
static Fiber* get_fiber() {
  if (!X->idle.empty()) {
    Fiber* f = X->idle.back();
    X->idle.pop_back();
    return f;
  }
  auto f = std::make_unique<Fiber>();
  char* m = (char*)mmap(nullptr, kStack + 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  mprotect(m, 4096, PROT_NONE);  // stack overflow: SIGSEGV
  f->stack = m + 4096;
  X->fibers.push_back(std::move(f));
  return X->fibers.back().get();
}
static void arm(Fiber* f) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(f->stack, kStack);
#endif
#ifdef EMU_USE_UCONTEXT
  getcontext(&f->uc);
  f->uc.uc_stack.ss_sp = f->stack;
  f->uc.uc_stack.ss_size = kStack;
  f->uc.uc_link = nullptr;
  makecontext(&f->uc, fiber_main, 0);
#else
  void** sp = (void**)(f->stack + kStack);
  *--sp = nullptr;  // alignment, and a null return address above fiber_main
  *--sp = (void*)fiber_main;
  for (int i = 0; i < 6; ++i) *--sp = nullptr;
  f->sp = sp;
#endif
  f->fake = nullptr;
}
static void yield_from(Fiber* self) {  // leave this fiber for the next runnable one
  int t = X->failed ? -3 : pick();
  Fiber* to;
  if (t >= 0)
    to = X->th[t].f;
  else if (t == -2) {
    to = get_fiber();
    arm(to);
    to->thread = -1;
  } else
    to = &X->sched;
  if (to == self) return;
  sw(self, to);
}
static void start_thread(Fiber* f, int t) {
  f->thread = t;
  X->th[t].f = f;
}
static void on_exit(int t) {
  Thread& me = X->th[t];
  me.st = Done;
  ++X->done;
  Warp& w = X->warps[me.warp];
  w.live &= ~(1u << me.lane);
  for (auto& r : w.rdv) {
    if (!r->arrived || !(r->mask >> me.lane & 1)) continue;
    if (config().strict_exit)
      device_fail("a lane returned while others wait for it in a warp collective", r->loc);
    if ((r->mask & w.live) == r->arrived) release_warp(w, *r);
  }
  if (X->waiting && config().strict_exit)
    for (auto& o : X->th)
      if (o.st == WaitBlock)
        device_fail("a thread returned while others of its block wait in __syncthreads", o.loc);
}
static void fiber_main() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  Fiber* self = X->running;
  for (;;) {
    while (X->next_new < X->total) {
      int t = X->order[X->next_new++];
      start_thread(self, t);
      X->th[t].st = Running;
      set_cur(t);
      try {
        in_kernel = true;
        X->inv(X->d.fn, X->args);
        in_kernel = false;
        on_exit(t);
      } catch (const FiberAbort&) {
        in_kernel = false;
        sw(self, &X->sched);  // never resumed: the other fibers are abandoned as they stand
      }
      if (config().seed) break;
      if (X->ready_head < X->ready.size()) break;  // finish the released lanes first
    }
    X->idle.push_back(self);
    self->thread = -1;
    int t = X->failed ? -1 : pick();
    if (t == -2) {
      X->idle.pop_back();
      continue;
    }
    Fiber* to = t >= 0 ? X->th[t].f : &X->sched;
    sw(self, to);
    // resumed through arm() only: never comes back here
    self = X->running;
  }
}
// Suspends the current thread until st becomes Ready and it is picked.
static void wait_here() {
  int t = X->cur_t;
  Fiber* self = X->running;
  yield_from(self);
  X->th[t].st = Running;
  set_cur(t);
}
static std::string loc_str(const emu::Loc& l) {
  return std::string(l.file_name()) + ":" + std::to_string(l.line()) + ":" +
         std::to_string(l.column());
}
static std::string thread_str(int t) {
  auto& i = X->th[t].tid;
  return "block (" + std::to_string(cur.bid.x) + "," + std::to_string(cur.bid.y) + "," +
         std::to_string(cur.bid.z) + ") thread (" + std::to_string(i.x) + "," +
         std::to_string(i.y) + "," + std::to_string(i.z) + ")";
}
static void record_failure(cudaError_t code, const std::string& what) {
  in_kernel = false;
  X->failed = true;
  X->code = code;
  X->report = what + "\n  in " + fn_name(X->d.fn) + ", " +
              (X->cur_t >= 0 ? thread_str(X->cur_t) : std::string("scheduler"));
}
// From barriers and collectives: the throw unwinds this fiber; the others are abandoned as they
// stand.
[[noreturn]] void fail_report(cudaError_t code, std::string what) {
  record_failure(code, what);
  throw FiberAbort{};
}
// From the compiler's hooks, which it takes for nothrow (a throw would end in std::terminate): this
// fiber is abandoned too, with whatever its frames hold.
[[noreturn]] void fail_from_hook(cudaError_t code, std::string what) {
  record_failure(code, what);
  std::string().swap(what);
  sw(X->running, &X->sched);
  __builtin_unreachable();
}
void device_fail(const char* what, emu::Loc loc) {
  in_kernel = false;
  fail_report(cudaErrorLaunchFailure, std::string(what) + " at " + loc_str(loc));
}

// ------------------------------------------------------------ barriers
static bool same_loc(const emu::Loc& a, const emu::Loc& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}
int block_sync_pred(int pred, int op, emu::Loc loc) {
  Inside in;
  Exec& x = *X;
  int t = x.cur_t;
  Thread& me = x.th[t];
  me.loc = loc;
  if (x.waiting == 0) {
    x.bar_pred[0] = 0;
    x.bar_pred[1] = 1;
    x.bar_pred[2] = 0;
  } else {
    for (int i = 0; i < x.total; ++i)
      if (x.th[i].st == WaitBlock) {
        if (!same_loc(x.th[i].loc, loc))
          fail_report(cudaErrorLaunchFailure, "divergent __syncthreads: one thread waits at " +
                                                  loc_str(x.th[i].loc) + ", another arrives at " +
                                                  loc_str(loc));
        break;
      }
  }
  if (x.done && config().strict_exit)
    device_fail("__syncthreads after a thread of the block has returned", loc);
  x.bar_pred[0] += pred != 0;
  x.bar_pred[1] &= pred != 0;
  x.bar_pred[2] |= pred != 0;
  unsigned gen = x.bar_gen;
  me.st = WaitBlock;
  if (++x.waiting + x.done == x.total) {
    ++g_stats.barriers;
    ++x.bar_gen;
    x.bar_time = ++now_;
    x.waiting = 0;
    for (int i = 0; i < 3; ++i) x.bar_result[gen & 1][i] = x.bar_pred[i];
    for (int i = 0; i < x.total; ++i) {
      int k = x.order[i];
      if (k != t && x.th[k].st == WaitBlock) {
        x.th[k].st = Ready;
        x.ready.push_back(k);
      }
    }
    if (config().seed) {
      me.st = Ready;
      x.ready.push_back(t);
      wait_here();
    } else
      me.st = Running;
  } else
    wait_here();
  return x.bar_result[gen & 1][op];
}
void block_sync(emu::Loc loc) { block_sync_pred(0, 0, loc); }

const WarpView& warp_collect(unsigned mask, Coll kind, const void* v, size_t n, emu::Loc loc) {
  Inside in;
  Exec& x = *X;
  int t = x.cur_t;
  Thread& me = x.th[t];
  Warp& w = x.warps[me.warp];
  me.loc = loc;
  if (!(mask >> me.lane & 1))
    device_fail("warp collective: the calling lane is not in its own mask", loc);
  if (config().strict_exit && (mask & w.exist & ~w.live))
    device_fail("warp collective: the mask names lanes that have returned", loc);
  Rdv* r = nullptr;
  for (auto& p : w.rdv)
    if (p->mask == mask) {
      r = p.get();
      break;
    }
  if (!r) {
    w.rdv.push_back(std::make_unique<Rdv>());
    r = w.rdv.back().get();
    r->mask = mask;
  }
  if (r->arrived == 0) {
    r->kind = kind;
    r->loc = loc;
  } else if (r->kind != kind || !same_loc(r->loc, loc))
    fail_report(cudaErrorLaunchFailure, "divergent warp collective: lanes of one mask meet at " +
                                            loc_str(r->loc) + " and " + loc_str(loc));
  uint32_t gen = r->gen;
  r->arrived |= 1u << me.lane;
  if (kind == Coll::mma)
    std::memcpy(r->vals[gen & 1][me.lane], &v, sizeof v);  // address of the lane's operands
  else if (n)
    std::memcpy(r->vals[gen & 1][me.lane], v, n);
  me.rdv = r;
  if ((r->mask & w.live) == r->arrived) {
    me.st = Running;
    release_warp(w, *r);
    if (config().seed) {
      me.st = Ready;
      x.ready.push_back(t);
      wait_here();
    }
  } else {
    me.st = WaitWarp;
    wait_here();
  }
  r->view[gen & 1].lane = me.lane;
  return r->view[gen & 1];
}
void shfl_raw(unsigned m, void* v, size_t n, int src, bool ok, emu::Loc loc) {
  Inside in;
  const WarpView& w = warp_collect(m, Coll::shfl, v, n, loc);
  if (!ok) return;
  if (!(w.arrived >> src & 1))
    std::memset(v, 0xff, n);  // undefined on a GPU: poison
  else
    std::memcpy(v, w.val[src], n);
}
unsigned ballot_raw(unsigned m, int pred, emu::Loc loc) {
  int v = pred != 0;
  const WarpView& w = warp_collect(m, Coll::ballot, &v, sizeof v, loc);
  unsigned r = 0;
  for (int i = 0; i < 32; ++i)
    if (w.arrived >> i & 1) {
      int q;
      std::memcpy(&q, w.val[i], 4);
      r |= unsigned(q) << i;
    }
  return r;
}
unsigned lane() { return X->th[X->cur_t].lane; }

// ------------------------------------------------------------ shared memory
constexpr size_t kSharedMax = 1 << 20, kRed = 64;
alignas(4096) static char g_shared[kSharedMax];
static size_t shared_top = 0, shared_used = 0;
struct Slot {
  size_t off, n;
};
static std::unordered_map<const void*, Slot> slots;
std::vector<Slot> shared_live;  // of the current block, for bounds
static void poison_slot(size_t off, size_t n) {
  if (config().poison) std::memset(g_shared + off, 0xff, n);
}
static Slot new_slot(size_t n, size_t align) {
  size_t off = (shared_top + kRed + align - 1) / align * align;
  size_t end = off + n;
  if (end + kRed > kSharedMax) {
    std::fprintf(stderr, "emu: shared arena exhausted\n");
    std::abort();
  }
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(g_shared + shared_top, (end + kRed - shared_top) & ~size_t(7));
  __asan_unpoison_memory_region(g_shared + off, n);
#endif
  shared_top = end;
  shared_used += n;
  shared_live.push_back({off, n});
  poison_slot(off, n);
  return {off, n};
}
static void reset_shared() {
#if defined(__SANITIZE_ADDRESS__)
  if (shared_top) __asan_unpoison_memory_region(g_shared, std::min(shared_top + kRed, kSharedMax));
#endif
  shared_top = shared_used = 0;
  slots.clear();
  shared_live.clear();
}
void* shared_slot(const void* key, size_t bytes, size_t align) {
  Inside in;
  auto it = slots.find(key);
  if (it == slots.end()) {
    it = slots.emplace(key, new_slot(bytes, std::max<size_t>(align, 16))).first;
    if (shared_used > 48 * 1024 + X->d.smem)
      device_fail("static shared memory exceeds 48 KB", emu::Loc::current());
  }
  return g_shared + it->second.off;
}
void* shared_dyn() {
  Inside in;
  static const char key = 0;
  if (X->d.smem == 0)
    device_fail("dynamic shared memory used but none was given at launch", emu::Loc::current());
  auto it = slots.find(&key);
  if (it == slots.end()) it = slots.emplace(&key, new_slot(X->d.smem, 128)).first;
  return g_shared + it->second.off;
}
bool shared_ptr_info(const void* p, bool& ok, size_t n, size_t& off) {
  auto c = (const char*)p;
  if (c < g_shared || c >= g_shared + kSharedMax) return false;
  off = c - g_shared;
  ok = false;
  for (auto& s : shared_live)
    if (off >= s.off && off + n <= s.off + s.n) {
      ok = true;
      break;
    }
  return true;
}

// ------------------------------------------------------------ the grid
static std::map<const void*, int> max_smem;
cudaError_t set_max_smem(const void* fn, int b) {
  if (b > 227 * 1024) return cudaErrorInvalidValue;
  max_smem[fn] = b;
  return cudaSuccess;
}
int max_smem_of(const void* fn) {
  auto i = max_smem.find(fn);
  return i == max_smem.end() ? 48 * 1024 : std::max(i->second, 48 * 1024);
}

void profile_block_end();
static void run_block() {
  Exec& x = *X;
  for (int t = 0; t < x.total; ++t) {
    x.th[t].st = New;
    x.th[t].f = nullptr;
  }
  for (size_t w = 0; w < x.warps.size(); ++w) {
    int n = std::min(32, x.total - int(w) * 32);
    x.warps[w].live = n == 32 ? ~0u : (1u << n) - 1;
    x.warps[w].exist = x.warps[w].live;
    x.warps[w].full_time = 0;
    for (auto& r : x.warps[w].rdv) {
      r->arrived = 0;
    }
    if (x.warps[w].pair) std::memset(x.warps[w].pair, 0, 32 * 32 * 8);
  }
  if (config().seed)
    for (int i = x.total - 1; i > 0; --i) std::swap(x.order[i], x.order[xrand() % (i + 1)]);
  x.ready.clear();
  x.ready_head = 0;
  x.next_new = 0;
  x.waiting = x.done = 0;
  x.bar_time = ++now_;
  ++block_serial;
  ++g_stats.blocks;
  g_stats.threads += x.total;
  reset_shared();
  while (!x.failed) {
    int t = pick();
    if (t == -1) break;
    Fiber* to;
    if (t == -2) {
      to = get_fiber();
      arm(to);
    } else
      to = x.th[t].f;
    sw(&x.sched, to);
  }
  g_stats.shared_peak = std::max<uint64_t>(g_stats.shared_peak, shared_used);
  if (!x.failed && x.done != x.total) {
    std::string s = "deadlock: no thread of the block can go on\n";
    std::map<std::string, int> by;
    for (int t = 0; t < x.total; ++t) {
      auto& h = x.th[t];
      ++by[h.st == Done
               ? std::string("returned")
               : (h.st == WaitBlock ? "in __syncthreads at " : "in a warp collective at ") +
                     loc_str(h.loc)];
    }
    for (auto& [k, n] : by) s += "  " + std::to_string(n) + " threads " + k + "\n";
    x.failed = true;
    x.code = cudaErrorLaunchFailure;
    x.report = s + "  in " + fn_name(x.d.fn);
  }
  if (config().profile) profile_block_end();
}
void run_grid(const LaunchDesc& d, Invoke inv, const void* args, size_t args_bytes) {
  static Exec* pool = new Exec;  // keeps the fiber stacks from launch to launch
  Exec& x = *pool;
  X = &x;
  x.d = d;
  x.inv = inv;
  x.args = args;
  x.args_bytes = args_bytes;
  x.failed = false;
  x.cur_t = -1;
  x.total = int(d.block.x * d.block.y * d.block.z);
  x.th.resize(x.total);
  x.order.resize(x.total);
  x.warps.resize((x.total + 31) / 32);
  for (auto& w : x.warps)
    if (!w.pair && instrumented()) w.pair = new uint64_t[32][32]();
  for (int t = 0; t < x.total; ++t) {
    x.order[t] = t;
    auto& h = x.th[t];
    h.lane = t & 31;
    h.warp = t >> 5;
    h.tid = {t % d.block.x, t / d.block.x % d.block.y, t / (d.block.x * d.block.y)};
  }
  static uint64_t seed = 0;
  if (rng == 0 || seed != config().seed) rng = config().seed * 0x9E3779B97F4A7C15ull | 1;
  seed = config().seed;
#if defined(__SANITIZE_ADDRESS__)
  {  // the scheduler's own stack, for the switch annotations
    pthread_attr_t a;
    pthread_getattr_np(pthread_self(), &a);
    void* b;
    size_t n;
    pthread_attr_getstack(&a, &b, &n);
    pthread_attr_destroy(&a);
    x.sched.stack = (char*)b;
    x.sched.thread = int(n);
  }
#endif
  x.running = &x.sched;
  ++launch_serial;
  ++g_stats.launches;
  cur.bdim = d.block;
  cur.gdim = d.grid;
  uint64_t nb = uint64_t(d.grid.x) * d.grid.y * d.grid.z;
  std::vector<uint64_t> bo;
  if (config().seed) {
    bo.resize(nb);
    for (uint64_t i = 0; i < nb; ++i) bo[i] = i;
    for (uint64_t i = nb; i-- > 1;) std::swap(bo[i], bo[xrand() % (i + 1)]);
  }
  guard_open();
  for (uint64_t i = 0; i < nb && !x.failed; ++i) {
    uint64_t b = bo.empty() ? i : bo[i];
    cur.bid = {unsigned(b % d.grid.x), unsigned(b / d.grid.x % d.grid.y),
               unsigned(b / (uint64_t(d.grid.x) * d.grid.y))};
    run_block();
  }
  guard_close();
  reset_shared();
  if (x.failed) {  // abandoned fibers: forget what ran on them
    x.idle.clear();
    for (auto& f : x.fibers) x.idle.push_back(f.get());
    set_error(x.code, x.report);
  }
  X = nullptr;
}

// ------------------------------------------------------------ what the checker needs to know
bool on_fiber_stack(const void* p, bool& own) {
  own = false;
  if (!X) return false;
  auto c = (const char*)p;
  Fiber* f = X->running;
  if (f != &X->sched && c >= f->stack && c < f->stack + kStack) {
    own = true;
    return true;
  }
  for (auto& g : X->fibers)
    if (c >= g->stack && c < g->stack + kStack) return true;
  return false;
}
bool is_args(const void* p) {
  return X && (const char*)p >= (const char*)X->args &&
         (const char*)p < (const char*)X->args + X->args_bytes;
}
int cur_thread() { return X->cur_t; }
std::string thread_name(int t) { return thread_str(t); }
// Has everything thread a did before time t been ordered before thread b's next step?
bool ordered(int a, uint64_t t, int b) {
  if (a == b) return true;
  if (X->bar_time > t) return true;
  if (a >> 5 == b >> 5) {
    Warp& w = X->warps[a >> 5];
    if (w.full_time > t) return true;
    if (w.pair && w.pair[a & 31][b & 31] > t) return true;
  }
  return false;
}
bool after_barrier(uint64_t t) { return X->bar_time > t; }
// The same for several earlier readers (flag 2), of several warps (flag 16).
bool ordered_all(unsigned flags, uint64_t t, int b) {
  if (X->bar_time > t || !(flags & 18)) return true;
  return !(flags & 16) && X->warps[b >> 5].full_time > t;
}
void fence() {}

std::string fn_name(const void* fn) {
  Dl_info i;
  if (dladdr(fn, &i) && i.dli_sname) {
    int st;
    char* d = abi::__cxa_demangle(i.dli_sname, nullptr, nullptr, &st);
    std::string s = st == 0 ? d : i.dli_sname;
    free(d);
    return s;
  }
  return symbol(fn);
}
}  // namespace emu

// ------------------------------------------------------------ atomics
/// Stores update(old) and gives the old value; `pc` is where the kernel called.
template <class T, class F>
static T atomically(T* p, const void* pc, F&& update) {
  emu::access(p, sizeof(T), true, true, pc);
  const T old = *p;
  *p = update(old);
  return old;
}
#define EMU_PC __builtin_return_address(0)
float atomicAdd(float* p, float v) {
  return atomically(p, EMU_PC, [v](float old) { return old + v; });
}
double atomicAdd(double* p, double v) {
  return atomically(p, EMU_PC, [v](double old) { return old + v; });
}
int atomicAdd(int* p, int v) {
  return atomically(p, EMU_PC, [v](int old) { return int(unsigned(old) + unsigned(v)); });
}
unsigned atomicAdd(unsigned* p, unsigned v) {
  return atomically(p, EMU_PC, [v](unsigned old) { return old + v; });
}
unsigned long long atomicAdd(unsigned long long* p, unsigned long long v) {
  return atomically(p, EMU_PC, [v](unsigned long long old) { return old + v; });
}
int atomicMax(int* p, int v) {
  return atomically(p, EMU_PC, [v](int old) { return std::max(old, v); });
}
int atomicMin(int* p, int v) {
  return atomically(p, EMU_PC, [v](int old) { return std::min(old, v); });
}
unsigned atomicInc(unsigned* p, unsigned m) {
  return atomically(p, EMU_PC, [m](unsigned old) { return old >= m ? 0 : old + 1; });
}
int atomicCAS(int* p, int c, int v) {
  return atomically(p, EMU_PC, [c, v](int old) { return old == c ? v : old; });
}
unsigned atomicCAS(unsigned* p, unsigned c, unsigned v) {
  return atomically(p, EMU_PC, [c, v](unsigned old) { return old == c ? v : old; });
}
int atomicExch(int* p, int v) {
  return atomically(p, EMU_PC, [v](int) { return v; });
}
