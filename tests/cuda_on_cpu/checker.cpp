// Memory checker and profiler.  Kernel translation units are compiled (not linked) with
// -fsanitize=thread; the compiler then calls the __tsan_* functions below at every load and store.
// We define them here, so no sanitizer runtime takes part.
#include <dlfcn.h>
#include <unistd.h>
#include <bitset>
#include <functional>
#include <unordered_map>
#include "internal.h"

extern "C" char __data_start, _end;  // GNU ld: writable data of the main program
namespace emu {
extern uint32_t block_serial, launch_serial;
extern uint64_t now_;
bool shared_ptr_info(const void*, bool&, size_t, size_t&);
bool on_fiber_stack(const void*, bool&);
bool is_args(const void*);
int cur_thread();
std::string thread_name(int);
bool ordered(int, uint64_t, int);
bool ordered_all(unsigned flags, uint64_t, int);
bool after_barrier(uint64_t);
[[noreturn]] void fail_from_hook(cudaError_t, std::string);
static bool hooked = false;
bool instrumented() { return hooked; }

static std::string addr2line(const char* opt, const void* pc, int back) {  // only on failure
  Dl_info i;
  char cmd[4400], buf[1024];
  std::string r;
  if (!dladdr(pc, &i)) return "?";
  std::snprintf(cmd, sizeof cmd, "addr2line %s -e '%s' 0x%lx 2>/dev/null", opt, i.dli_fname,
                (unsigned long)((uintptr_t)pc - (uintptr_t)i.dli_fbase - back));
  if (FILE* f = popen(cmd, "r")) {
    if (fgets(buf, sizeof buf, f)) r = buf;
    pclose(f);
  }
  while (!r.empty() && r.back() == '\n') r.pop_back();
  return r.empty() ? "?" : r;
}
std::string where(const void* pc) { return addr2line("-ps", pc, 1); }
std::string symbol(const void* fn) { return addr2line("-fC", fn, 0); }
static std::vector<Shadow> sh_shadow((1 << 20) / 4);
static std::unordered_map<uintptr_t, Shadow> static_shadow;
static std::string desc(const void*, size_t n, bool w, bool at, const void* pc) {
  return std::string(at  ? "atomic"
                     : w ? "write"
                         : "read") +
         " of " + std::to_string(n) + " bytes at " + where(pc);
}
// ------------------------------------------------------------ profile
struct Group {
  uint32_t n = 0;
  uint64_t addr[32];
  uint8_t size;
  bool write, shared;
};
static std::unordered_map<const void*, int> pc_index;
static std::vector<std::unordered_map<uint64_t, Group>>
    groups;                                     // per pc: (warp, occurrence) -> lanes
static std::vector<std::vector<uint32_t>> occ;  // per pc: per thread
static void profile(const void* p, size_t n, bool w, bool shared, const void* pc) {
  auto [it, fresh] = pc_index.try_emplace(pc, int(groups.size()));
  if (fresh) {
    groups.emplace_back();
    occ.emplace_back(1024, 0);
  }
  int t = cur_thread();
  uint32_t k = occ[it->second][t]++;
  Group& g = groups[it->second][uint64_t(t >> 5) << 32 | k];
  if (g.n < 32) g.addr[g.n++] = (uint64_t)p;
  g.size = uint8_t(n);
  g.write = w;
  g.shared = shared;
}
void profile_block_end() {
  Stats& s = stats();
  for (auto& m : groups) {
    for (auto& [k, g] : m) {
      if (!g.shared) {
        uint64_t sec[128];
        int c = 0;
        for (unsigned i = 0; i < g.n; ++i)
          for (uint64_t a = g.addr[i] / 32; a <= (g.addr[i] + g.size - 1) / 32; ++a) {
            bool dup = false;
            for (int j = 0; j < c; ++j) dup |= sec[j] == a;
            if (!dup && c < 128) sec[c++] = a;
          }
        (g.write ? s.gst_req : s.gld_req) += 1;
        (g.write ? s.gst_sectors : s.gld_sectors) += c;
      } else {
        (g.write ? s.sst_req : s.sld_req) += 1;
        unsigned per = g.size >= 16 ? 8 : g.size == 8 ? 16 : 32;  // lanes served together
        for (unsigned b = 0; b < g.n; b += per) {
          std::vector<uint64_t> bank[32];
          size_t deg = 1;
          for (unsigned i = b; i < std::min(g.n, b + per); ++i)
            for (uint64_t a = g.addr[i] / 4; a < (g.addr[i] + std::max<int>(g.size, 4)) / 4; ++a) {
              auto& v = bank[a & 31];
              if (std::find(v.begin(), v.end(), a) == v.end()) v.push_back(a);
              deg = std::max(deg, v.size());
            }
          s.bank_extra += deg - 1;
        }
      }
    }
    m.clear();
  }
  for (auto& o : occ) std::fill(o.begin(), o.end(), 0);
}
// ------------------------------------------------------------ the check itself
static void race(const char* kind, int other, const void* p, size_t n, bool w, bool at,
                 const void* pc, bool shared) {
  fail_from_hook(cudaErrorLaunchFailure,
                 std::string("data race (") + kind + ") in " + (shared ? "shared" : "global") +
                     " memory: " + desc(p, n, w, at, pc) +
                     (other >= 0 ? ", against " + thread_name(other) + " with no barrier between"
                                 : ", against another block"));
}
static void check_words(Shadow* base, size_t off, const void* p, size_t n, bool w, bool at,
                        const void* pc, bool shared, bool fresh_per_block) {
  int me = cur_thread();
  uint64_t t = ++now_;
  Stats& st = stats();
  bool races = config().races;
  for (size_t i = off; i < off + n;) {
    Shadow& s = base[i >> 2];
    unsigned lo = i & 3, hi = std::min<size_t>(4, lo + (off + n - i));
    uint8_t m = uint8_t(((1u << (hi - lo)) - 1) << lo);
    if (fresh_per_block && s.wblock != block_serial && s.rblock != block_serial) s = {};
    if (fresh_per_block && s.wblock != block_serial) {
      s.init = 0;
      s.wtime = 0;
      s.wblock = block_serial;
    }
    if ((!w || at) && (s.init & m) != m)
      fail_from_hook(cudaErrorIllegalAddress,
                     std::string(shared ? "shared" : "global") +
                         " memory used before it was written: " + desc(p, n, w, at, pc));
    if (races) {
      bool wl = s.wtime && s.wlaunch == launch_serial && (s.wmask & m) && !(at && (s.flags & 1));
      if (wl) {
        if (s.wblock != block_serial)
          race(w ? "write after write" : "read after write", -1, p, n, w, at, pc, shared);
        else if (!ordered(s.wtid, s.wtime, me))
          race(w ? "write after write" : "read after write", s.wtid, p, n, w, at, pc, shared);
      }
      if (w && s.rtime && s.rlaunch == launch_serial && (s.rmask & m)) {
        if (s.rblock != block_serial || (s.flags & 4))
          race("write after read", -1, p, n, w, at, pc, shared);
        else if (!ordered(s.rtid, s.rtime, me) || !ordered_all(s.flags, s.rtime, me))
          race("write after read", s.rtid, p, n, w, at, pc, shared);
      }
    }
    if (w) {
      if (!shared && s.wlaunch != launch_serial) st.gst_unique += hi - lo;
      s.wtime = t;
      s.wblock = block_serial;
      s.wtid = uint16_t(me);
      s.wlaunch = launch_serial;
      s.wmask = m;
      s.init |= m;
      s.flags = uint8_t(at ? 1 : 0);
      s.rtime = 0;
    } else {
      if (!shared && s.rlaunch != launch_serial) st.gld_unique += hi - lo;
      bool same = s.rtime && s.rlaunch == launch_serial;
      uint8_t f = s.flags & 1;
      if (same) {
        if (s.rblock != block_serial)
          f |= 4 | (s.flags & 4);
        else if (after_barrier(s.rtime))
          f |= s.flags & 4;
        else {
          f |= s.flags & 22;
          if (s.rtid != me) f |= s.rtid >> 5 != me >> 5 ? 18 : 2;
        }
      }
      s.flags = f;
      s.rtime = t;
      s.rblock = block_serial;
      s.rtid = uint16_t(me);
      s.rlaunch = launch_serial;
      s.rmask = m;
    }
    i += hi - lo;
  }
}
void access(const void* p, size_t n, bool w, bool at, const void* pc) {
  if (!in_kernel) {
    if (in_arena(p)) {
      std::fprintf(stderr, "emu: host code touches device memory: %s\n",
                   desc(p, n, w, at, pc).c_str());
      std::abort();
    }
    return;
  }
  if (!hooked) return;  // plain build: only explicit accesses come here
  Inside in;
  bool own;
  if (Alloc* a = find_alloc(p)) {
    if ((char*)p < a->p || (char*)p + n > a->p + a->n)
      fail_from_hook(
          cudaErrorIllegalAddress,
          "out of bounds by " +
              std::to_string((char*)p < a->p ? a->p - (char*)p : (char*)p + n - a->p - a->n) +
              " bytes of a device allocation of " + std::to_string(a->n) +
              " bytes: " + desc(p, n, w, at, pc));
    if ((uintptr_t)p % std::min<size_t>(n, 16))
      fail_from_hook(cudaErrorIllegalAddress, "misaligned " + desc(p, n, w, at, pc));
    (w ? stats().gst_bytes : stats().gld_bytes) += n;
    if (config().profile) profile(p, n, w, false, pc);
    check_words(a->shadow.data(), (char*)p - a->p, p, n, w, at, pc, false, false);
    return;
  }
  if (in_arena(p))
    fail_from_hook(cudaErrorIllegalAddress,
                   "freed or unallocated device memory: " + desc(p, n, w, at, pc));
  bool ok;
  size_t off;
  if (shared_ptr_info(p, ok, n, off)) {
    if (!ok)
      fail_from_hook(cudaErrorIllegalAddress,
                     "out of bounds of a shared array: " + desc(p, n, w, at, pc));
    if ((uintptr_t)p % std::min<size_t>(n, 16))
      fail_from_hook(cudaErrorIllegalAddress, "misaligned " + desc(p, n, w, at, pc));
    if (config().profile) profile(p, n, w, true, pc);
    check_words(sh_shadow.data(), off, p, n, w, at, pc, true, true);
    return;
  }
  if (p >= &cur && p < &cur + 1) return;  // threadIdx and the like
  if (on_fiber_stack(p, own)) {
    if (!own)
      fail_from_hook(cudaErrorIllegalAddress,
                     "another thread's local memory: " + desc(p, n, w, at, pc));
    return;
  }
  if (is_args(p) && !w) return;
  if (p >= &__data_start && p < &_end) {  // static __shared__ arrays, and globals
    for (size_t i = 0; i < n; i += 4)
      check_words(&static_shadow[((uintptr_t)p + i) >> 2], ((uintptr_t)p + i) & 3, (char*)p + i,
                  std::min<size_t>(4, n - i), w, at, pc, true, true);
    return;
  }
  Dl_info di;
  if (!w && dladdr(p, &di)) return;  // constants of the program
  fail_from_hook(cudaErrorIllegalAddress, "host memory used in a kernel: " + desc(p, n, w, at, pc));
}
}  // namespace emu

#define RA __builtin_return_address(0)
extern "C" {
void __tsan_init() { emu::hooked = true; }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
#define RW(N)                                                                     \
  void __tsan_read##N(void* p) { emu::access(p, N, false, false, RA); }           \
  void __tsan_write##N(void* p) { emu::access(p, N, true, false, RA); }           \
  void __tsan_unaligned_read##N(void* p) { emu::access(p, N, false, false, RA); } \
  void __tsan_unaligned_write##N(void* p) { emu::access(p, N, true, false, RA); } \
  void __tsan_volatile_read##N(void* p) { emu::access(p, N, false, false, RA); }  \
  void __tsan_volatile_write##N(void* p) { emu::access(p, N, true, false, RA); }
RW(1) RW(2) RW(4) RW(8) RW(16) void __tsan_read_range(void* p, unsigned long n) {
  emu::access(p, n, false, false, RA);
}
void __tsan_write_range(void* p, unsigned long n) { emu::access(p, n, true, false, RA); }
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
// std::atomic and shared_ptr in the host part of instrumented files.
#define AT(N, T)                                                                        \
  T __tsan_atomic##N##_load(const volatile T* p, int) {                                 \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                        \
  }                                                                                     \
  void __tsan_atomic##N##_store(volatile T* p, T v, int) {                              \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                           \
  }                                                                                     \
  T __tsan_atomic##N##_exchange(volatile T* p, T v, int) {                              \
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                 \
  }                                                                                     \
  T __tsan_atomic##N##_fetch_add(volatile T* p, T v, int) {                             \
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                                  \
  }                                                                                     \
  T __tsan_atomic##N##_fetch_sub(volatile T* p, T v, int) {                             \
    return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);                                  \
  }                                                                                     \
  T __tsan_atomic##N##_fetch_or(volatile T* p, T v, int) {                              \
    return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                                   \
  }                                                                                     \
  T __tsan_atomic##N##_fetch_and(volatile T* p, T v, int) {                             \
    return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);                                  \
  }                                                                                     \
  int __tsan_atomic##N##_compare_exchange_strong(volatile T* p, T* c, T v, int, int) {  \
    return __atomic_compare_exchange_n(p, c, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                                     \
  int __tsan_atomic##N##_compare_exchange_weak(volatile T* p, T* c, T v, int, int) {    \
    return __atomic_compare_exchange_n(p, c, v, 1, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }
AT(8, unsigned char)
AT(16, unsigned short) AT(32, unsigned) AT(64, unsigned long) void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
}
