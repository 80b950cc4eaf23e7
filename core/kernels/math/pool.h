#pragma once

#include <cstdint>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/host_device.h>
#include <pade/core/kernels/math/reduce.h>

/// The geometry of pooling, for loops and kernels.
namespace pade {

/// [begin, end) of positions along one axis.
struct PoolRange {
  int64_t begin, end;
  PADE_HD int64_t size() const { return end - begin; }
};

/// The image's rows (or columns) inside the window number i.
PADE_HD PoolRange inside_window(int64_t i, int64_t kernel, int64_t stride, int64_t padding,
                                int64_t extent) {
  const int64_t first = i * stride - padding, end = first + kernel;
  return {first > 0 ? first : 0, end < extent ? end : extent};
}

/// The windows (of `count`) that have row or column `at` inside.
PADE_HD PoolRange windows_over(int64_t at, int64_t kernel, int64_t stride, int64_t padding,
                               int64_t count) {
  const int64_t from_first = at + padding;  // window i begins at i·stride of the padded image
  const int64_t begin = from_first < kernel ? 0 : (from_first - kernel) / stride + 1;
  const int64_t end = from_first / stride + 1;
  return {begin, end < count ? end : count};
}

/// How many elements a window's mean is divided by.
PADE_HD int64_t counted(const PoolProblem& p, const PoolRange& rows, const PoolRange& columns) {
  return p.count_padding ? p.kernel.h * p.kernel.w : rows.size() * columns.size();
}

}  // namespace pade
