#include "device_memory.h"

#include <emu/emulator.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "block.h"
#include "errors.h"
#include "streams.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace emu {
namespace {

constexpr size_t kArenaBytes = size_t{64} << 30;  ///< of addresses; memory is taken page by page
constexpr size_t kCapacity = size_t{4} << 30;     ///< of the device
constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 256;                    ///< what cudaMalloc promises
constexpr char kUnwritten = static_cast<char>(0xff);  ///< as floating-point numbers: NaN

size_t round_up(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

void* reserve_addresses(size_t bytes, int protection) {
  void* begin =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) {
    std::perror("emu: no addresses for the device's memory");
    std::abort();
  }
  return begin;
}

/// The device's addresses, and who has which page.
struct Arena {
  char* const begin = static_cast<char*>(reserve_addresses(kArenaBytes, PROT_NONE));
  Allocation** const owners = static_cast<Allocation**>(
      reserve_addresses(kArenaBytes / kPage * sizeof(Allocation*), PROT_READ | PROT_WRITE));
  size_t used = 0;  ///< addresses, never given twice
  size_t living_bytes = 0;
  uint64_t count = 0;
  std::map<char*, std::unique_ptr<Allocation>> allocations;

  bool has(const void* address) const { return address >= begin && address < begin + kArenaBytes; }
  Allocation*& owner_of(const void* address) const {
    return owners[static_cast<size_t>(static_cast<const char*>(address) - begin) / kPage];
  }
  void set_owner(const Allocation& allocation, Allocation* owner) {
    for (size_t page = 0; page < allocation.page_bytes; page += kPage)
      owner_of(allocation.pages + page) = owner;
  }
  char* take_pages(size_t bytes) {
    if (used + bytes + 2 * kPage > kArenaBytes) {
      std::fprintf(stderr, "emu: the device's addresses are used up\n");
      std::abort();
    }
    char* pages = begin + used + kPage;
    used += bytes + kPage;
    return pages;
  }
};

Arena& arena();

// --- the guard

int works_at_once = 0;
Allocation* first_open = nullptr;

void protect(const Allocation& allocation, int protection) {
  mprotect(allocation.pages, allocation.page_bytes, protection);
}

struct sigaction former_handler;

/// Opens pages that the device touches for the first time. Other faults are explained, and happen
/// again under the former handler.
void on_fault(int, siginfo_t* signal, void*) {
  Allocation* allocation = allocation_of(signal->si_addr);
  if (allocation && works_at_once > 0 && !allocation->is_open) return open_pages(*allocation);
  if (is_device_address(signal->si_addr)) {
    const char* text = works_at_once > 0
                           ? "emu: a kernel touched freed or unallocated device memory\n"
                           : "emu: host code touched device memory\n";
    (void)!write(STDERR_FILENO, text, std::strlen(text));
  }
  sigaction(SIGSEGV, &former_handler, nullptr);
}

/// Whenever the device begins to work: test frameworks set handlers of their own for each test.
void handle_faults() {
  struct sigaction handler {
  }, found;
  handler.sa_flags = SA_SIGINFO | SA_ONSTACK;
  handler.sa_sigaction = on_fault;
  sigaction(SIGSEGV, &handler, &found);
  if (found.sa_sigaction != on_fault) former_handler = found;
}

/// Reports what nobody freed when the program ends.
void check_for_leaks() {
  if (std::getenv("EMU_NO_LEAK_CHECK")) return;
  const std::string leaks = leak_report();
  if (leaks.empty()) return;
  std::fputs(leaks.c_str(), stderr);
  std::fflush(nullptr);
  _exit(66);
}

Arena& arena() {
  // Kept to the end of the program, for the check that comes last.
  static Arena& arena = (std::atexit(check_for_leaks), *new Arena);
  return arena;
}

/// Whether what lies between an allocation and the ends of its pages is as it was.
bool is_surrounded_by_unwritten(const Allocation& allocation) {
#if defined(__SANITIZE_ADDRESS__)
  return allocation.begin != nullptr;  // it sees each access to what lies there
#else
  const auto untouched = [](const char* from, const char* to) {
    return std::all_of(from, to, [](char byte) { return byte == kUnwritten; });
  };
  return untouched(allocation.pages, allocation.begin) &&
         untouched(allocation.begin + allocation.bytes, allocation.pages + allocation.page_bytes);
#endif
}

// --- page-locked memory

std::map<const char*, size_t>& pinned() {
  static auto& pinned = *new std::map<const char*, size_t>;
  return pinned;
}

}  // namespace

Allocation* allocation_of(const void* address) {
  return is_device_address(address) ? arena().owner_of(address) : nullptr;
}

bool is_device_address(const void* address) { return arena().has(address); }

DeviceWorks::DeviceWorks() {
  if (works_at_once++ == 0 && settings().guard) handle_faults();
}
DeviceWorks::~DeviceWorks() {
  if (--works_at_once > 0 || !settings().guard) return;
  while (Allocation* allocation = first_open) {
    first_open = std::exchange(allocation->next_open, nullptr);
    allocation->is_open = false;
    protect(*allocation, PROT_NONE);
  }
}

void open_pages(Allocation& allocation) {
  if (allocation.is_open) return;
  protect(allocation, PROT_READ | PROT_WRITE);
  allocation.is_open = true;
  allocation.next_open = std::exchange(first_open, &allocation);
}

cudaError_t allocate(void** address, size_t bytes, Place place) {
  if (lasting_error() != cudaSuccess) return lasting_error();
  *address = nullptr;
  if (bytes == 0) return cudaSuccess;
  Arena& memory = arena();
  if (memory.living_bytes + bytes > kCapacity) return cudaErrorMemoryAllocation;
  auto made = std::make_unique<Allocation>();
  made->bytes = bytes;
  made->number = ++memory.count;
  made->place = place;
  made->page_bytes = round_up(bytes, kPage);
  made->pages = memory.take_pages(made->page_bytes);
  made->begin = made->pages + made->page_bytes - round_up(bytes, kAlignment);
  if (checks_accesses()) made->shadows.resize((bytes + 3) / 4);
  protect(*made, PROT_READ | PROT_WRITE);
  std::memset(made->pages, kUnwritten, made->page_bytes);
#if defined(__SANITIZE_ADDRESS__)
  const auto poison = [](char* from, char* to) { __asan_poison_memory_region(from, to - from); };
  poison(made->pages, made->begin);
  poison(made->begin + bytes, made->pages + made->page_bytes);
#endif
  if (settings().guard) protect(*made, PROT_NONE);
  memory.set_owner(*made, made.get());
  memory.living_bytes += bytes;
  *address = made->begin;
  memory.allocations.emplace(made->begin, std::move(made));
  return cudaSuccess;
}

cudaError_t release(void* address) {
  Arena& memory = arena();
  const auto found = memory.allocations.find(static_cast<char*>(address));
  if (found == memory.allocations.end())
    return report(cudaErrorInvalidValue,
                  "cudaFree of an address that cudaMalloc did not give, or freed before");
  Allocation& allocation = *found->second;
  {
    const DeviceWorks works;
    if (!is_surrounded_by_unwritten(allocation))
      report(cudaErrorIllegalAddress,
             "memory around a device allocation of " + std::to_string(allocation.bytes) +
                 " bytes was overwritten; allocated" + at(allocation.place));
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(allocation.pages, allocation.page_bytes);
#endif
  }
  madvise(allocation.pages, allocation.page_bytes, MADV_DONTNEED);
  protect(allocation, PROT_NONE);
  memory.set_owner(allocation, nullptr);
  memory.living_bytes -= allocation.bytes;
  memory.allocations.erase(found);
  return cudaSuccess;
}

std::string leak_report() {
  const Arena& memory = arena();
  if (memory.allocations.empty()) return "";
  std::string text = "emu: " + std::to_string(memory.allocations.size()) +
                     " device allocations not freed, " + std::to_string(memory.living_bytes) +
                     " bytes\n";
  int shown = 0;
  for (auto next = memory.allocations.rbegin(); next != memory.allocations.rend(); ++next) {
    if (++shown > 10) break;  // the newest: addresses grow
    const Allocation& allocation = *next->second;
    text += "  " + std::to_string(allocation.bytes) + " bytes, allocation " +
            std::to_string(allocation.number) + at(allocation.place) + "\n";
  }
  return text;
}

bool is_pinned(const void* address) {
  const char* byte = static_cast<const char*>(address);
  const auto next = pinned().upper_bound(byte);
  if (next == pinned().begin()) return false;
  const auto& [begin, bytes] = *std::prev(next);
  return byte < begin + bytes;
}

cudaError_t allocate_pinned(void** address, size_t bytes) {
  char* const begin = static_cast<char*>(std::malloc(std::max<size_t>(bytes, 1)));
  if (!begin) return cudaErrorMemoryAllocation;
  std::memset(begin, kUnwritten, bytes);
  pinned()[begin] = bytes;
  *address = begin;
  return cudaSuccess;
}

}  // namespace emu

cudaError_t cudaFree(void* address) {
  if (!address) return cudaSuccess;
  emu::finish_all_streams();
  return emu::release(address);
}

cudaError_t cudaFreeHost(void* address) {
  if (!address) return cudaSuccess;
  emu::finish_all_streams();
  emu::pinned().erase(static_cast<char*>(address));
  std::free(address);
  return cudaSuccess;
}
