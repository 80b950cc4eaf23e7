#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

#include <pade/core/error.h>
#include <pade/core/storage.h>

using namespace pade;

TEST_CASE("storage is aligned to 64 bytes, also when empty") {
  for (const size_t bytes : {0, 1, 63, 64, 65, 1000, 5000000}) {
    const Storage storage(bytes, Device::cpu);
    CHECK(reinterpret_cast<uintptr_t>(storage.data()) % 64 == 0);
    CHECK(storage.bytes() == bytes);
  }
}

TEST_CASE("freed blocks are used again before the system is asked") {
  { const Storage warm_up(1234567, Device::cpu); }
  const uint64_t asked = allocator_stats().system_allocations;
  for (int i = 0; i < 10; ++i) {
    const Storage same(1234567, Device::cpu);
    CHECK(allocator_stats().system_allocations == asked);
  }
  { const Storage nearly_the_same(1234000, Device::cpu); }
  CHECK(allocator_stats().system_allocations == asked);
}

TEST_CASE("statistics follow what is in use") {
  const AllocatorStats before = allocator_stats();
  {
    const Storage storage(100000, Device::cpu);
    CHECK(allocator_stats().bytes_in_use >= before.bytes_in_use + 100000);
    CHECK(allocator_stats().peak_bytes_in_use >= allocator_stats().bytes_in_use);
  }
  CHECK(allocator_stats().bytes_in_use == before.bytes_in_use);
  release_cached_memory();
  CHECK(allocator_stats().bytes_cached == 0);
}

TEST_CASE("versions count changes") {
  Storage storage(8, Device::cpu);
  const uint32_t before = storage.version();
  storage.bump_version();
  CHECK(storage.version() == before + 1);
}

TEST_CASE("poison fills new storage with NaN patterns") {
  poison_new_storage(true);
  const Storage storage(16, Device::cpu);
  poison_new_storage(false);
  CHECK(storage.data()[0] == std::byte{0xFF});
  CHECK(storage.data()[15] == std::byte{0xFF});
}

TEST_CASE("more than there is, is an error that says how much") {
  for (const size_t bytes : {size_t{1} << 61, ~size_t{0}})
    CHECK_THROWS_WITH_AS(Storage(bytes, Device::cpu), doctest::Contains("out of memory"), Error);
}

TEST_CASE("a device that is not there cannot hold anything") {
  if constexpr (!kHasCuda)
    CHECK_THROWS_WITH_AS(Storage(8, Device::cuda), doctest::Contains("device cuda"), Error);
}
