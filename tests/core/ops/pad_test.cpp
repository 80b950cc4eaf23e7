#include <doctest/doctest.h>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/rearrange.h>
#include <pade/core/random.h>

#include "tests/devices.h"

using namespace pade;

namespace {

const std::vector<AxisPadding> kPaddings[] = {
    {{0, 0}, {0, 0}, {0, 0}}, {{1, 0}, {0, 2}, {3, 1}}, {{0, 0}, {1, 1}, {1, 1}}, {{2, 2}, {}, {}}};

}  // namespace

DEVICE_TEST_CASE("pad puts a border of one value around a tensor of any dtype") {
  for (const DType dtype : {DType::float32, DType::float64, DType::int32, DType::uint8})
    for (const auto& padding : kPaddings) {
      const Tensor x = Tensor::arange(2 * 3 * 4).to(dtype).reshape({2, 3, 4});
      const Tensor padded = pad(x.to(device), padding, 77);
      REQUIRE(padded.device() == device);
      const Tensor y = padded.to(Device::cpu);
      REQUIRE(y.dtype() == dtype);
      for (int axis = 0; axis < 3; ++axis)
        REQUIRE(y.extent(axis) == x.extent(axis) + padding[axis].before + padding[axis].after);
      for (int64_t i = 0; i < y.extent(0); ++i)
        for (int64_t j = 0; j < y.extent(1); ++j)
          for (int64_t k = 0; k < y.extent(2); ++k) {
            const int64_t a = i - padding[0].before, b = j - padding[1].before,
                          c = k - padding[2].before;
            const bool inside = a >= 0 && a < 2 && b >= 0 && b < 3 && c >= 0 && c < 4;
            CHECK(y.at({i, j, k}) == (inside ? x.at({a, b, c}) : 77));
          }
    }
  CHECK(pad(Tensor::ones({0, 2}).to(device), {{1, 1}, {0, 1}}).to_vector<float>() ==
        std::vector<float>(6));
  CHECK(pad(Tensor::scalar(3).to(device), {}).item() == 3);
}

DEVICE_TEST_CASE("pad has the gradients of central differences") {
  Rng rng(1);
  for (const auto& padding : kPaddings) {
    const auto report = gradcheck([&](const auto& in) { return pad(in[0], padding, 2); },
                                  {rng.uniform({2, 3, 4}, -1, 1, DType::float64).to(device)},
                                  {.max_elements = device == Device::cpu ? 512 : 4});
    CHECK_MESSAGE(report.ok, report.message);
  }
}

TEST_CASE("pad refuses what is no padding") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(pad(x, {{1, 1}}), "pad: expected one padding per axis of [2, 3], got 1",
                       Error);
  CHECK_THROWS_WITH_AS(pad(x, {{1, 1}, {0, -1}}),
                       "pad: padding {0, -1} of axis 1 of shape [2, 3] is negative", Error);
}
