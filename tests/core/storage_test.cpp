#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include <pade/core/error.h>
#include <pade/core/storage.h>
#include <pade/core/tensor.h>

#include "tests/devices.h"

using namespace pade;

TEST_CASE("storage is aligned to 64 bytes, also when empty") {
  for (const size_t bytes : {0, 1, 63, 64, 65, 1000, 5000000}) {
    const Storage storage(bytes, Device::cpu);
    CHECK(reinterpret_cast<uintptr_t>(storage.data()) % 64 == 0);
    CHECK(storage.bytes() == bytes);
  }
}

/// Whether freed blocks are kept at all: not where a memory checker wants to see them go.
bool is_cached(Device device) {
  return device == Device::cpu || std::getenv("PADE_NO_CUDA_CACHE") == nullptr;
}

DEVICE_TEST_CASE("freed blocks are used again before the system is asked") {
  if (!is_cached(device)) return;
  { const Storage warm_up(1234567, device); }
  const uint64_t asked = allocator_stats(device).system_allocations;
  for (int i = 0; i < 10; ++i) {
    const Storage same(1234567, device);
    CHECK(allocator_stats(device).system_allocations == asked);
  }
  { const Storage nearly_the_same(1234000, device); }
  CHECK(allocator_stats(device).system_allocations == asked);
}

DEVICE_TEST_CASE("statistics follow what is in use") {
  const AllocatorStats before = allocator_stats(device);
  {
    const Storage storage(100000, device);
    CHECK(allocator_stats(device).bytes_in_use >= before.bytes_in_use + 100000);
    CHECK(allocator_stats(device).peak_bytes_in_use >= allocator_stats(device).bytes_in_use);
  }
  CHECK(allocator_stats(device).bytes_in_use == before.bytes_in_use);
  release_cached_memory();
  CHECK(allocator_stats(device).bytes_cached == 0);
}

TEST_CASE("versions count changes") {
  Storage storage(8, Device::cpu);
  const uint32_t before = storage.version();
  storage.bump_version();
  CHECK(storage.version() == before + 1);
}

DEVICE_TEST_CASE("poison fills new storage with NaN patterns") {
  poison_new_storage(true);
  const Tensor tensor = Tensor::empty({16}, DType::uint8, device);
  poison_new_storage(false);
  CHECK(tensor.to_vector<uint8_t>() == std::vector<uint8_t>(16, 0xFF));
}

DEVICE_TEST_CASE("more than there is, is an error that says how much") {
  for (const size_t bytes : {size_t{1} << 46, size_t{1} << 61, ~size_t{0}})
    CHECK_THROWS_WITH_AS(Storage(bytes, device), doctest::Contains("out of memory"), Error);
  CHECK_THROWS_WITH_AS(Tensor::empty({1 << 22, 1 << 22}, DType::float32, device),
                       doctest::Contains(": 70368744177664 bytes were asked for, for a tensor of "
                                         "shape [4194304, 4194304], "),
                       Error);
}

TEST_CASE("a device that is not there cannot hold anything, and says why") {
  const std::string reason = why_unavailable(Device::cuda);
  CHECK(is_available(Device::cuda) == reason.empty());
  if (!reason.empty())
    CHECK_THROWS_WITH_AS(Storage(8, Device::cuda), ("device cuda: " + reason).c_str(), Error);
}

DEVICE_TEST_CASE("the peak of memory in use begins again when it is reset") {
  constexpr size_t kBytes = 1 << 20;
  { const Storage storage(3 * kBytes, device); }
  reset_peak_bytes_in_use(device);
  const size_t in_use = allocator_stats(device).bytes_in_use;
  CHECK(allocator_stats(device).peak_bytes_in_use == in_use);
  { const Storage storage(kBytes, device); }
  CHECK(allocator_stats(device).peak_bytes_in_use == in_use + kBytes);
}
