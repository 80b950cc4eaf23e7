// Host side of the emulator: device memory, streams, events, errors.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <set>
#include "internal.h"
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace emu {
Config& config() {
  static Config c = [] {
    Config k;
    if (auto e = getenv("EMU_SEED")) k.seed = strtoull(e, nullptr, 0);
    if (auto e = getenv("EMU_GUARD")) k.guard = *e != '0';
    if (auto e = getenv("EMU_PROFILE")) k.profile = *e != '0';
    return k;
  }();
  return c;
}
// ------------------------------------------------------------ errors
static cudaError_t last = cudaSuccess, stuck = cudaSuccess;
static std::string reports;
void set_error(cudaError_t e, std::string r) {
  if (!config().quiet) std::fprintf(stderr, "emu: %s\n", r.c_str());
  reports += r + "\n";
  last = e;
  if (e == cudaErrorLaunchFailure || e == cudaErrorIllegalAddress) stuck = e;
}
static cudaError_t fail(cudaError_t e, std::string r) {
  set_error(e, std::move(r));
  return e;
}
bool sticky() { return stuck != cudaSuccess; }
std::string take_report() { return std::exchange(reports, {}); }
void reset_device() {
  last = stuck = cudaSuccess;
  reports.clear();
}
static std::string at(const emu::Loc& l) {
  return std::string(" at ") + l.file_name() + ":" + std::to_string(l.line());
}

// ------------------------------------------------------------ device memory
// Every allocation has pages of its own behind an inaccessible page and its addresses are never
// used again, so that use after free and long overruns fault even without a sanitizer.
constexpr size_t kArena = size_t(64) << 30, kPage = 4096, kCap = size_t(4) << 30;
static char* arena = nullptr;
static size_t top = 0, live = 0;
static Alloc** pages = nullptr;
static std::map<char*, std::unique_ptr<Alloc>> allocs;
static uint64_t next_id = 1;
static int open_depth = 0;
static void init_arena() {
  if (arena) return;
  arena =
      (char*)mmap(nullptr, kArena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  pages = (Alloc**)mmap(nullptr, kArena / kPage * sizeof(Alloc*), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED || pages == MAP_FAILED) {
    perror("emu: mmap");
    std::abort();
  }
  struct sigaction sa {
  }, *old = new struct sigaction;
  static struct sigaction* prev;
  prev = old;
  sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  sa.sa_sigaction = [](int, siginfo_t* s, void*) {
    if (in_arena(s->si_addr)) {
      const char* m = in_kernel ? "emu: kernel touched freed or unallocated device memory\n"
                                : "emu: host code touched device memory directly\n";
      (void)!write(2, m, strlen(m));
    }
    sigaction(SIGSEGV, prev,
              nullptr);  // the fault repeats under the former handler (ASan's, or the default)
  };
  sigaction(SIGSEGV, &sa, old);
  std::atexit([] {
    if (!allocs.empty() && !getenv("EMU_NO_LEAK_CHECK")) {
      std::fprintf(stderr, "%s", leak_report().c_str());
      std::fflush(nullptr);
      _exit(66);
    }
  });
}
bool in_arena(const void* p) { return arena && (char*)p >= arena && (char*)p < arena + kArena; }
Alloc* find_alloc(const void* p) {
  return in_arena(p) ? pages[((char*)p - arena) / kPage] : nullptr;
}
bool is_device_ptr(const void* p) {
  Alloc* a = find_alloc(p);
  return a && (char*)p >= a->p && (char*)p <= a->p + a->n;
}
size_t live_bytes() { return live; }
size_t live_allocations() { return allocs.size(); }
void guard_open() {
  if (!config().guard || open_depth++) return;
  for (auto& [k, a] : allocs) mprotect(a->map, a->maplen, PROT_READ | PROT_WRITE);
}
void guard_close() {
  if (!config().guard || --open_depth) return;
  for (auto& [k, a] : allocs) mprotect(a->map, a->maplen, PROT_NONE);
}
struct Open {
  Open() { guard_open(); }
  ~Open() { guard_close(); }
};

cudaError_t malloc_(void** out, size_t n, emu::Loc loc) {
  if (sticky()) return stuck;
  *out = nullptr;
  if (n == 0) return cudaSuccess;
  init_arena();
  if (live + n > kCap) return last = cudaErrorMemoryAllocation;
  size_t len = (n + kPage - 1) / kPage * kPage;
  if (top + len + 2 * kPage > kArena) {
    std::fprintf(stderr, "emu: address space used up\n");
    std::abort();
  }
  auto a = std::make_unique<Alloc>();
  a->map = arena + top + kPage;
  a->maplen = len;
  top += len + kPage;
  a->p =
      a->map + (len - (n + 255) / 256 *
                          256);  // 256-byte aligned, its end as near the guard page as that allows
  a->n = n;
  a->id = next_id++;
  a->loc = loc;
  mprotect(a->map, len, PROT_READ | PROT_WRITE);
  std::memset(a->map, 0xff, len);
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(a->map, a->p - a->map);
  {
    char* e = a->p + n;
    char* m = a->map + len;  // exact end, also inside an 8-byte granule
    __asan_poison_memory_region(e, m - e);
  }
#endif
  if (instrumented()) a->shadow.resize((n + 3) / 4);
  for (size_t i = 0; i < len; i += kPage) pages[(a->map + i - arena) / kPage] = a.get();
  if (config().guard && !open_depth) mprotect(a->map, len, PROT_NONE);
  live += n;
  *out = a->p;
  allocs.emplace(a->p, std::move(a));
  return cudaSuccess;
}
static bool canary_ok(Alloc* a) {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#else
  for (char* c = a->map; c < a->p; ++c)
    if (*c != char(0xff)) return false;
  for (char* c = a->p + a->n; c < a->map + a->maplen; ++c)
    if (*c != char(0xff)) return false;
  return true;
#endif
}
static cudaError_t free_now(void* p) {
  auto it = allocs.find((char*)p);
  if (it == allocs.end())
    return fail(cudaErrorInvalidValue,
                "cudaFree of an address that cudaMalloc did not return, or freed twice");
  Alloc* a = it->second.get();
  {
    Open o;
    if (!canary_ok(a))
      set_error(cudaErrorIllegalAddress, "memory around a device allocation of " +
                                             std::to_string(a->n) +
                                             " bytes was overwritten; allocated" + at(a->loc));
  }
#if defined(__SANITIZE_ADDRESS__)
  mprotect(a->map, a->maplen, PROT_READ | PROT_WRITE);
  __asan_unpoison_memory_region(a->map, a->maplen);
#endif
  madvise(a->map, a->maplen, MADV_DONTNEED);
  mprotect(a->map, a->maplen, PROT_NONE);
  for (size_t i = 0; i < a->maplen; i += kPage) pages[(a->map + i - arena) / kPage] = nullptr;
  live -= a->n;
  allocs.erase(it);
  return cudaSuccess;
}
std::string leak_report() {
  std::string s;
  if (allocs.empty()) return s;
  s = "emu: " + std::to_string(allocs.size()) + " device allocations not freed, " +
      std::to_string(live) + " bytes\n";
  int k = 0;
  for (auto& [p, a] : allocs)
    if (k++ < 10)
      s += "  " + std::to_string(a->n) + " bytes, allocation " + std::to_string(a->id) +
           at(a->loc) + "\n";
  return s;
}
static std::map<char*, size_t> pinned;
cudaError_t malloc_host(void** p, size_t n) {
  *p = std::malloc(n ? n : 1);
  std::memset(*p, 0xff, n);
  pinned[(char*)*p] = n;
  return cudaSuccess;
}
static bool is_pinned(const void* p) {
  auto i = pinned.upper_bound((char*)p);
  if (i == pinned.begin()) return false;
  --i;
  return (char*)p < i->first + i->second;
}

// ------------------------------------------------------------ streams
struct Op {
  uint64_t seq;
  std::function<void()> fn;
  Event* wait = nullptr;
  uint64_t wait_seq = 0;
};
struct Stream {
  std::deque<Op> q;
  bool blocking = true;
  bool busy = false;
};
struct Event {
  Stream* s = nullptr;
  uint64_t seq = 0;
  bool recorded = false, done = false;
  double t = 0;
};
static Stream s0;
static std::set<Stream*> all{&s0};
static uint64_t seq = 0;
static void drain(Stream* s, uint64_t upto);
static void step(Stream* s) {
  Op& front = s->q.front();
  uint64_t q = front.seq;
  s->busy = true;
  if (front.wait && front.wait_seq)
    for (Stream* o : std::vector<Stream*>(all.begin(), all.end()))
      if (o == front.wait->s && o != s) drain(o, front.wait_seq);
  if (s == &s0) {
    for (Stream* o : std::vector<Stream*>(all.begin(), all.end()))
      if (o != s && o->blocking && !o->busy) drain(o, q);
  } else if (s->blocking && !s0.busy)
    drain(&s0, q);
  Op op = std::move(s->q.front());
  s->q.pop_front();
  if (op.fn && !sticky()) op.fn();
  s->busy = false;
}
static void drain(Stream* s, uint64_t upto) {
  Open o;
  while (!s->q.empty() && s->q.front().seq <= upto) step(s);
}
static void drain_all() {
  Open o;  // once per wait, not once per launch
  for (;;) {
    std::vector<Stream*> v;
    for (Stream* s : all)
      if (!s->q.empty()) v.push_back(s);
    if (v.empty()) return;
    step(v[config().seed ? xrand() % v.size() : 0]);
  }
}
void enqueue(cudaStream_t st, std::function<void()> f) {
  Stream* s = st ? st : &s0;
  s->q.push_back({++seq, std::move(f)});
  if (!config().lazy_streams) drain(s, seq);
}
static void sync(Stream* s) { drain(s ? s : &s0, seq); }

static const char* kinds[] = {"HostToHost", "HostToDevice", "DeviceToHost", "DeviceToDevice",
                              "Default"};
static bool check_range(const void* p, size_t n, bool device, const char* role, cudaMemcpyKind k,
                        emu::Loc loc) {
  Alloc* a = find_alloc(p);
  if (device) {
    if (!a || (char*)p < a->p || (char*)p + n > a->p + a->n) {
      set_error(cudaErrorInvalidValue,
                std::string("cudaMemcpy ") + kinds[k] + ": the " + role +
                    (a ? " range leaves its device allocation" : " is not device memory") +
                    at(loc));
      return false;
    }
  } else if (in_arena(p)) {
    set_error(cudaErrorInvalidMemcpyDirection, std::string("cudaMemcpy ") + kinds[k] + ": the " +
                                                   role + " is device memory" + at(loc));
    return false;
  }
  return true;
}
static void mark_init(void* p, size_t n, bool v = true) {
  Alloc* a = find_alloc(p);
  if (!a || a->shadow.empty()) return;
  size_t o = (char*)p - a->p;
  for (size_t i = o; i < o + n; ++i) {
    auto& s = a->shadow[i >> 2];
    s.init = v ? s.init | 1u << (i & 3) : s.init & ~(1u << (i & 3));
    s.wtime = s.rtime = 0;
  }
}
static bool all_init(const void* p, size_t n, size_t& where) {
  Alloc* a = find_alloc(p);
  if (!a || a->shadow.empty()) return true;
  size_t o = (char*)p - a->p;
  for (size_t i = o; i < o + n; ++i)
    if (!(a->shadow[i >> 2].init >> (i & 3) & 1)) {
      where = i - o;
      return false;
    }
  return true;
}
cudaError_t memcpy_async(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st,
                         bool sy, emu::Loc loc) {
  if (sticky()) return stuck;
  if (n == 0) return cudaSuccess;
  if (k == cudaMemcpyDefault)
    k = cudaMemcpyKind((is_device_ptr(s) ? 2 : 0) + (is_device_ptr(d) ? 1 : 0));
  bool dd = k == cudaMemcpyHostToDevice || k == cudaMemcpyDeviceToDevice,
       sd = k == cudaMemcpyDeviceToHost || k == cudaMemcpyDeviceToDevice;
  if (!check_range(d, n, dd, "destination", k, loc) || !check_range(s, n, sd, "source", k, loc))
    return last;
  std::shared_ptr<char[]> stage;  // pageable sources are read at the call, as the driver does
  if (!sd && !is_pinned(s) && !sy) {
    stage.reset(new char[n]);
    std::memcpy(stage.get(), s, n);
  }
  auto f = [=] {
    Open o;
    size_t w;
    if (sd && !all_init(s, n, w))
      if (k == cudaMemcpyDeviceToHost)
        set_error(cudaErrorIllegalAddress, "cudaMemcpy DeviceToHost: byte " + std::to_string(w) +
                                               " of the source was never written" + at(loc));
    std::memmove(d, stage ? stage.get() : s, n);
    if (dd) {
      mark_init(d, n);
      if (sd) {
        Alloc* a = find_alloc(s);
        Alloc* b = find_alloc(d);
        if (!a->shadow.empty())
          for (size_t i = 0; i < n; ++i) {
            size_t x = (char*)s - a->p + i, y = (char*)d - b->p + i;
            if (!(a->shadow[x >> 2].init >> (x & 3) & 1))
              b->shadow[y >> 2].init &= ~(1u << (y & 3));
          }
      }
    }
  };
  enqueue(st, f);
  if (sy || (k == cudaMemcpyDeviceToHost && !is_pinned(d)))
    sync(st);  // pageable: synchronous, as on the GPU
  return sticky() ? stuck : cudaSuccess;
}
cudaError_t memset_async(void* d, int v, size_t n, cudaStream_t st, bool sy, emu::Loc loc) {
  if (sticky()) return stuck;
  if (n == 0) return cudaSuccess;
  if (!check_range(d, n, true, "destination", cudaMemcpyDeviceToDevice, loc)) return last;
  enqueue(st, [=] {
    Open o;
    std::memset(d, v, n);
    mark_init(d, n);
  });
  if (sy) sync(st);
  return cudaSuccess;
}
int max_smem_of(const void*);
// Writes the kernels that were launched to the file EMU_LAUNCH_LOG: offsets in the executable, as
// nm has them.
static void log_launch(const void* fn) {
  static const char* path = getenv("EMU_LAUNCH_LOG");
  if (!path) return;
  static std::set<const void*>& seen = *new std::set<const void*>;
  if (seen.empty())
    std::atexit([] {
      if (FILE* f = fopen(path, "w")) {
        for (const void* p : seen) {
          Dl_info i{};
          dladdr(p, &i);
          std::fprintf(f, "%016zx\n", size_t((const char*)p - (const char*)i.dli_fbase));
        }
        fclose(f);
      }
    });
  seen.insert(fn);
}
cudaError_t launch(const LaunchDesc& d, Invoke inv, std::shared_ptr<void> args, size_t ab,
                   const void* const* ptrs, const int* idx, int np) {
  if (sticky()) return stuck;
  auto t = uint64_t(d.block.x) * d.block.y * d.block.z;
  if (t == 0 || t > 1024 || d.block.x > 1024 || d.block.y > 1024 || d.block.z > 64 || !d.grid.x ||
      !d.grid.y || !d.grid.z || d.grid.x > 2147483647u || d.grid.y > 65535 || d.grid.z > 65535)
    return fail(cudaErrorInvalidConfiguration,
                "launch of " + fn_name(d.fn) + ": bad grid or block size");
  if (d.smem > size_t(max_smem_of(d.fn)))
    return fail(
        cudaErrorInvalidValue,
        "launch of " + fn_name(d.fn) +
            ": more dynamic shared memory than the kernel's limit; cudaFuncSetAttribute raises it");
  for (int i = 0; i < np; ++i)
    if (ptrs[i] && !is_device_ptr(ptrs[i]))
      return fail(
          cudaErrorLaunchFailure,
          "launch of " + fn_name(d.fn) + ": argument " + std::to_string(idx[i]) +
              (in_arena(ptrs[i]) ? " points to freed device memory" : " is a host pointer"));
  log_launch(d.fn);
  enqueue(d.stream, [=] { run_grid(d, inv, args.get(), ab); });
  return cudaSuccess;
}
}  // namespace emu
using namespace emu;
#define RET return sticky() ? stuck : cudaSuccess
cudaError_t cudaGetLastError() {
  auto e = sticky() ? stuck : last;
  last = cudaSuccess;
  return e;
}
cudaError_t cudaPeekAtLastError() { return sticky() ? stuck : last; }
const char* cudaGetErrorName(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidMemcpyDirection: return "cudaErrorInvalidMemcpyDirection";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    default: return "cudaErrorOther";
  }
}
const char* cudaGetErrorString(cudaError_t e) {
  if (e == cudaErrorInsufficientDriver)
    return "CUDA driver version is insufficient for CUDA runtime version";
  static std::string text;
  text = reports.empty() ? cudaGetErrorName(e) : reports;
  while (text.ends_with('\n')) text.pop_back();
  return text.c_str();
}
cudaError_t cudaFree(void* p) {
  if (!p) return cudaSuccess;
  drain_all();
  return free_now(p);
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t s) {
  if (p) enqueue(s, [=] { free_now(p); });
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  if (p) {
    drain_all();
    pinned.erase((char*)p);
    std::free(p);
  }
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  drain_all();
  RET;
}
cudaError_t cudaGetDeviceCount(int* n) {
  if (getenv("EMU_NO_DEVICE")) return cudaErrorInsufficientDriver;  // and n stays as it is
  *n = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int d) { return d == 0 ? cudaSuccess : cudaErrorInvalidValue; }
cudaError_t cudaGetDevice(int* d) {
  *d = 0;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* v) {
  *v = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* v) {
  *v = 13000;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* f, size_t* t) {
  *t = kCap;
  *f = kCap - live;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {};
  std::strcpy(p->name, "CPU emulation");
  p->totalGlobalMem = kCap;
  p->sharedMemPerBlock = 49152;
  p->sharedMemPerBlockOptin = 232448;
  p->regsPerBlock = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = 1024;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 2147483647;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->major = 9;
  p->minor = 0;
  p->multiProcessorCount = 2;
  p->l2CacheSize = 1 << 20;
  p->maxThreadsPerMultiProcessor = 2048;  // 2 SMs: small grids in tests
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* v, cudaDeviceAttr a, int) {
  *v = a == cudaDevAttrMultiProcessorCount ? 2 : 232448;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned f) {
  *s = new Stream;
  (*s)->blocking = f != cudaStreamNonBlocking;
  all.insert(*s);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* s) { return cudaStreamCreateWithFlags(s, 0); }
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  drain(s, seq);
  all.erase(s);
  delete s;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  sync(s);
  RET;
}
cudaError_t cudaStreamQuery(cudaStream_t s) {
  return (s ? s : &s0)->q.empty() ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  *e = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  if (e->s && all.count(e->s)) drain(e->s, e->seq);
  delete e;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  e->s = s ? s : &s0;
  e->recorded = true;
  e->done = false;
  enqueue(s, [e] {
    e->done = true;
    e->t =
        std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  });
  e->seq = seq;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  Stream* t = s ? s : &s0;
  if (e->recorded) {
    t->q.push_back({++seq, {}, e, e->seq});
    if (!config().lazy_streams) drain(t, seq);
  }
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  if (e->recorded && !e->done) drain(e->s, e->seq);
  RET;
}
cudaError_t cudaEventQuery(cudaEvent_t e) { return e->done ? cudaSuccess : cudaErrorNotReady; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  if (!a->done || !b->done) return cudaErrorNotReady;
  *ms = float((b->t - a->t) * 1e3);
  return cudaSuccess;
}
