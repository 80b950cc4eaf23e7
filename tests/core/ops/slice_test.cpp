#include <utility>

#include <doctest/doctest.h>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/random.h>

#include "tests/devices.h"

using namespace pade;

DEVICE_TEST_CASE("slice takes a range of any axis") {
  const Tensor x = Tensor::arange(2 * 3 * 4).reshape({2, 3, 4}), there = x.to(device);
  for (int axis = 0; axis < 3; ++axis)
    for (int64_t begin = 0; begin <= x.extent(axis); ++begin)
      for (int64_t end = begin; end <= x.extent(axis); ++end) {
        const Tensor sliced = slice(there, axis, begin, end);
        REQUIRE(sliced.device() == device);
        const Tensor y = sliced.to(Device::cpu);
        REQUIRE(y.shape() == x.shape().with(axis, end - begin));
        for (int64_t i = 0; i < y.extent(0); ++i)
          for (int64_t j = 0; j < y.extent(1); ++j)
            for (int64_t k = 0; k < y.extent(2); ++k)
              CHECK(y.at({i, j, k}) ==
                    x.at({i + (axis == 0 ? begin : 0), j + (axis == 1 ? begin : 0),
                          k + (axis == 2 ? begin : 0)}));
      }
  CHECK(slice(x, -1, 1, 2).shape() == Shape{2, 3, 1});
  CHECK(slice(there, -3, 1, 2).shares_storage_with(there));
}

DEVICE_TEST_CASE("slice has the gradients of central differences") {
  Rng rng(1);
  for (int axis = 0; axis < 3; ++axis)
    for (const auto& [begin, end] : {std::pair{0, 2}, {1, 2}, {1, 1}}) {
      const auto report = gradcheck([&](const auto& in) { return slice(in[0], axis, begin, end); },
                                    {rng.uniform({3, 2, 4}, -1, 1, DType::float64).to(device)},
                                    {.max_elements = device == Device::cpu ? 512 : 2});
      CHECK_MESSAGE(report.ok, axis, " ", begin, " ", end, ": ", report.message);
    }
}

TEST_CASE("slice refuses what is out of range") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(slice(x, 1, 2, 4),
                       "slice: [2, 4) is out of range for axis 1 of shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(slice(x, 1, -1, 2),
                       "slice: [-1, 2) is out of range for axis 1 of shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(slice(x, -1, 2, 1),
                       "slice: [2, 1) is out of range for axis 1 of shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(slice(x, 2, 0, 0), "slice: axis 2 is out of range for shape [2, 3]", Error);
  CHECK_THROWS_AS(slice(x, 0, 0, 3), Error);
}
