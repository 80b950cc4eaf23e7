#include "shared_memory.h"

#include <emu/emulator.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "block.h"
#include "errors.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace emu {
namespace {

constexpr size_t kLimit = 48 * 1024;  ///< of a block, as of every GPU, without asking for more
constexpr size_t kGap = 64;           ///< between arrays, so that overruns are seen
constexpr size_t kArena = 1 << 20;
alignas(4096) char arena[kArena];
size_t used = 0, end_of_arrays = 0;
std::unordered_map<const void*, SharedArray> arrays;

SharedArray new_array(size_t bytes, size_t alignment) {
  used += bytes;
  if (used > kLimit) block().fail("the shared memory of a block exceeds 48 KiB");
  const size_t begin = (end_of_arrays + kGap + alignment - 1) / alignment * alignment;
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(arena + end_of_arrays, begin + bytes + kGap - end_of_arrays);
  __asan_unpoison_memory_region(arena + begin, bytes);
#endif
  end_of_arrays = begin + bytes;
  std::memset(arena + begin, 0xff, bytes);
  return {arena + begin, bytes, Shadows(checks_accesses() ? (bytes + 3) / 4 : 0)};
}

}  // namespace

void* shared_array(const void* key, size_t bytes, size_t alignment) {
  const OutsideKernel outside;
  auto found = arrays.find(key);
  if (found == arrays.end())
    found = arrays.emplace(key, new_array(bytes, std::max<size_t>(alignment, 16))).first;
  return found->second.begin;
}

void reset_shared_memory() {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(arena, kArena);
#endif
  used = end_of_arrays = 0;
  arrays.clear();
}

bool is_shared_address(const void* address) { return address >= arena && address < arena + kArena; }

SharedArray* shared_array_of(const void* begin, size_t bytes) {
  const char* byte = static_cast<const char*>(begin);
  for (auto& [key, array] : arrays)
    if (byte >= array.begin && byte + bytes <= array.begin + array.bytes) return &array;
  return nullptr;
}

}  // namespace emu
