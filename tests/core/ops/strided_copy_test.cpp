#include <doctest/doctest.h>

#include <vector>

#include <pade/core/ops/strided_copy_kernels.h>

using namespace pade;

namespace {

using Axes = std::vector<CopyAxis>;

/// The definition, axis by axis.
void copy_by_definition(const Axes& axes, size_t axis, const int32_t* from, int32_t* to) {
  if (axis == axes.size()) {
    *to = *from;
    return;
  }
  for (int64_t i = 0; i < axes[axis].extent; ++i)
    copy_by_definition(axes, axis + 1, from + i * axes[axis].from_stride,
                       to + i * axes[axis].to_stride);
}

}  // namespace

TEST_CASE("strided_copy follows any strides and leaves the rest alone") {
  const Axes cases[] = {
      {},
      {{0, 1, 1}, {3, 1, 1}},
      {{5, 1, 1}},
      {{5, 3, 2}},
      {{4, 0, 3}, {3, 1, 1}},      // one row, repeated
      {{40, 0, 1}},                // one element, repeated
      {{3, 1, 40}, {20, 3, 2}},    // transposed, with gaps on the written side
      {{20, 2, 30}, {30, 41, 1}},  // transposed, with gaps on the read side
      {{2, 500, 600}, {20, 1, 20}, {20, 20, 1}},
      {{2, 7, 300}, {1, 99, 99}, {3, 14, 100}, {10, 50, 10}, {10, 1, 1}},
      {{1, 1, 1}, {6, 1, 7}, {1, 5, 5}, {7, 6, 1}, {1, 3, 3}},
  };
  const Tensor from = Tensor::arange(2000);
  for (const Axes& axes : cases) {
    Tensor to = Tensor::full({2000}, -1, DType::int32), expected = to.clone();
    cpu::strided_copy(axes, from, 11, to, 13);
    copy_by_definition(axes, 0, from.data<int32_t>() + 11, expected.mutable_data<int32_t>() + 13);
    CHECK(to.to_vector<int32_t>() == expected.to_vector<int32_t>());
  }
}
