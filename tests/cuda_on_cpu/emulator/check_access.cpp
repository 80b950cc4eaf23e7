#include <dlfcn.h>
#include <emu/emulator.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "access.h"
#include "block.h"
#include "device_memory.h"
#include "errors.h"
#include "profile.h"
#include "races.h"
#include "shared_memory.h"

/// Looks at one access of a kernel: is it where kernels may read or write, aligned, of what was
/// written before, and ordered against other threads' accesses?
namespace emu {
namespace {

bool some_file_has_hooks = false;

[[noreturn]] void refuse(const Access& access, const std::string& complaint) {
  block().fail_in_hook(cudaErrorIllegalAddress, complaint + access.text());
}

void check_alignment(const Access& access) {
  const size_t alignment = std::min<size_t>(access.bytes, 16);
  if (reinterpret_cast<uintptr_t>(access.address) % alignment != 0) refuse(access, "misaligned ");
}

void check_global(const Access& access, Allocation& allocation) {
  if (!allocation.has(access.address, access.bytes)) {
    const char* first = static_cast<const char*>(access.address);
    const auto distance = first < allocation.begin
                              ? allocation.begin - first
                              : first + access.bytes - (allocation.begin + allocation.bytes);
    refuse(access, "out of bounds by " + std::to_string(static_cast<size_t>(distance)) +
                       " bytes of a device allocation of " + std::to_string(allocation.bytes) +
                       " bytes: ");
  }
  check_alignment(access);
  if (settings().profile) add_to_profile(access, false);
  check_words(access, allocation.shadows, allocation.offset_of(access.address), Space::global);
}

void check_shared(const Access& access) {
  SharedArray* array = shared_array_of(access.address, access.bytes);
  if (!array) refuse(access, "out of bounds of a shared array: ");
  check_alignment(access);
  if (settings().profile) add_to_profile(access, true);
  const auto offset = static_cast<const char*>(access.address) - array->begin;
  check_words(access, array->shadows, static_cast<size_t>(offset), Space::shared);
}

/// What is neither global nor shared memory: a kernel may have its own stack, and read its
/// arguments, indices and the program's constants.
void check_local(const Access& access) {
  const void* const address = access.address;
  if (block().is_on_own_stack(address)) return;
  if (!access.writes) {
    if (address >= &indices && address < &indices + 1) return;
    if (block().is_argument(address)) return;
  }
  if (block().is_on_other_stack(address)) refuse(access, "another thread's local memory: ");
  Dl_info program;
  if (!access.writes && dladdr(address, &program)) return;
  refuse(access, "host memory used in a kernel: ");
}

}  // namespace

bool checks_accesses() { return some_file_has_hooks; }
void check_accesses_from_now_on() { some_file_has_hooks = true; }

std::string Access::text() const {
  return std::string(atomic   ? "atomic"
                     : writes ? "write"
                              : "read") +
         " of " + std::to_string(bytes) + " bytes at " + source_line(caller);
}

void check_access(const void* address, size_t bytes, bool writes, bool atomic, const void* caller) {
  const Access access{address, bytes, writes, atomic, caller};
  if (!in_kernel) {
    if (!is_device_address(address)) return;
    std::fprintf(stderr, "emu: host code touches device memory: %s\n", access.text().c_str());
    std::abort();
  }
  if (!checks_accesses()) return;
  const OutsideKernel outside;
  if (Allocation* allocation = allocation_of(address)) return check_global(access, *allocation);
  if (is_device_address(address)) refuse(access, "freed or unallocated device memory: ");
  if (is_shared_address(address)) return check_shared(access);
  check_local(access);
}

}  // namespace emu
