#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>

#include "tests/devices.h"

using namespace pade;

namespace {

using Axes = std::vector<CopyAxis>;

/// The definition, axis by axis.
template <class T>
void copy_by_definition(const Axes& axes, size_t axis, const T* from, T* to) {
  if (axis == axes.size()) {
    *to = *from;
    return;
  }
  for (int64_t i = 0; i < axes[axis].extent; ++i)
    copy_by_definition(axes, axis + 1, from + i * axes[axis].from_stride,
                       to + i * axes[axis].to_stride);
}

const Axes kCases[] = {
    {},
    {{0, 1, 1}, {3, 1, 1}},
    {{5, 1, 1}},
    {{5, 3, 2}},
    {{4, 0, 3}, {3, 1, 1}},      // one row, repeated
    {{40, 0, 1}},                // one element, repeated
    {{3, 1, 40}, {20, 3, 2}},    // transposed, with gaps on the written side
    {{20, 2, 30}, {30, 41, 1}},  // transposed, with gaps on the read side
    {{35, 1, 40}, {33, 36, 1}},  // transposed, with gaps on both sides
    {{3, 1, 200}, {150, 4, 1}},
    {{150, 1, 6}, {5, 200, 1}},
    {{2, 500, 600}, {20, 1, 20}, {20, 20, 1}},
    {{2, 7, 300}, {1, 99, 99}, {3, 14, 100}, {10, 50, 10}, {10, 1, 1}},
    {{1, 1, 1}, {6, 1, 7}, {1, 5, 5}, {7, 6, 1}, {1, 3, 3}},
    {{3, 32, 48}, {32, 1, 1}},  // whole words of any size
    {{3, 24, 40}, {8, 1, 1}},
    {{3, 12, 20}, {4, 1, 1}},
    {{4, 20, 21}, {20, 1, 1}},  // odd strides on the written side
};

template <class T>
void check_copy(Device device, const Axes& axes, int64_t from_offset, int64_t to_offset) {
  const DType dtype = dtype_of<T>();
  Tensor from = Tensor::empty({2000}, dtype), expected = Tensor::full({2000}, 99, dtype);
  T* values = from.mutable_data<T>();
  for (int64_t i = 0; i < from.size(); ++i) values[i] = static_cast<T>(i * 7 % 97);
  Tensor to = expected.to(device).clone();
  const Tensor source = from.to(device);
  kernels_of(to).strided_copy(axes, source, from_offset, to, to_offset);
  copy_by_definition(axes, 0, from.data<T>() + from_offset, expected.mutable_data<T>() + to_offset);
  CHECK(to.to_vector<T>() == expected.to_vector<T>());
}

}  // namespace

DEVICE_TEST_CASE("strided_copy follows any strides and leaves the rest alone") {
  for (const Axes& axes : kCases)
    for (const auto& [from_offset, to_offset] : {std::pair{0, 0}, {11, 13}, {20, 4}}) {
      check_copy<float>(device, axes, from_offset, to_offset);
      check_copy<double>(device, axes, from_offset, to_offset);
      check_copy<uint8_t>(device, axes, from_offset, to_offset);
    }
}
