#include <algorithm>
#include <limits>
#include <vector>

#include <pade/core/lanes.h>
#include <pade/core/ops/pool_kernels.h>
#include <pade/core/ops/pool_math.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// A window's rows and columns inside the image, and how many elements count for a mean.
struct Window {
  PoolRange rows, columns;
  int64_t counted;
};

Window window_at(const PoolProblem& p, int64_t i, int64_t j) {
  const PoolRange rows = inside_window(i, p.kernel.h, p.stride.h, p.padding.h, p.h);
  const PoolRange columns = inside_window(j, p.kernel.w, p.stride.w, p.padding.w, p.w);
  return {rows, columns, counted(p, rows, columns)};
}

/// Calls f(plane) for every plane, several at a time where they are small.
template <class F>
void for_each_plane(const PoolProblem& p, F&& f) {
  const int64_t planes_at_once =
      std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, p.h * p.w));
  parallel_for(p.planes, planes_at_once, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) f(plane);
  });
}

/// The columns of the image that one column of a window's taps lies on: for outputs [begin, end) of
/// a row, from `column` on.
struct TapColumns {
  int64_t begin, end, column;
};

std::vector<TapColumns> tap_columns(const PoolProblem& p) {
  std::vector<TapColumns> columns;
  for (int64_t kw = 0; kw < p.kernel.w; ++kw) {
    const int64_t before = p.padding.w - kw, inside = p.w + before;
    const int64_t begin = before > 0 ? blocks_of(before, p.stride.w) : 0;
    const int64_t end = inside > 0 ? std::min(p.ow, blocks_of(inside, p.stride.w)) : 0;
    columns.push_back({begin, end, begin * p.stride.w - before});
  }
  return columns;
}

/// Row after row of the output, tap after tap, so that neighbouring outputs share a vector. kStride
/// is stride.w where it is known to the compiler, else 0.
template <int64_t kStride, class T>
void max_pool_plane(const PoolProblem& p, const std::vector<TapColumns>& columns, const T* x, T* y,
                    int32_t* winner) {
  const int64_t stride = kStride ? kStride : p.stride.w;
  for (int64_t i = 0; i < p.oh; ++i, y += p.ow, winner += p.ow) {
    const int64_t top = i * p.stride.h - p.padding.h;
    const int64_t first = std::max<int64_t>(top, 0), last = std::min(top + p.kernel.h, p.h);
    for (int64_t j = 0; j < p.ow; ++j) {
      const int64_t left = std::max<int64_t>(j * stride - p.padding.w, 0);
      y[j] = -std::numeric_limits<T>::infinity();
      winner[j] = static_cast<int32_t>(first * p.w + left);  // where all are −Inf
    }
    for (int64_t row = first; row < last; ++row)
      for (const auto& [begin, end, column] : columns) {
        int64_t at = row * p.w + column;
        for (int64_t j = begin; j < end; ++j, at += stride) {
          const T value = x[at], best = y[j];
          const bool wins = beats(value, best);
          y[j] = wins ? value : best;
          winner[j] = wins ? static_cast<int32_t>(at) : winner[j];
        }
      }
  }
}

constexpr int64_t kPairedColumns = 1024;

/// The same for 2×2 windows side by side, at most kPairedColumns / 2 in a row: first the larger one
/// in each column, then of neighbouring columns, so that both steps fill vectors. `end`: how far
/// whole vectors may be read.
template <class T>
void max_pool_plane_2x2(const PoolProblem& p, const T* x, const T* end, T* y, int32_t* winner) {
  T larger[kPairedColumns + kLaneCount<T>];
  int32_t place[kPairedColumns + kLaneCount<T>];
  const int64_t columns = 2 * p.ow, rows_at_once = kPairedColumns / columns;
  const int32_t width = static_cast<int32_t>(p.w);
  for (int64_t begin = 0; begin < p.oh; begin += rows_at_once) {
    const int64_t rows = std::min(rows_at_once, p.oh - begin);
    for (int64_t i = 0; i < rows; ++i) {
      const int32_t first = static_cast<int32_t>(begin + i) * 2 * width;
      const T *upper = x + first, *lower = upper + width;
      const int64_t whole_vectors = blocks_of(columns, kLaneCount<T>) * kLaneCount<T>;
      const int64_t count = end - lower >= whole_vectors ? whole_vectors : columns;
#pragma omp simd
      for (int32_t j = 0; j < count; ++j) {
        const bool wins = beats(lower[j], upper[j]);
        larger[i * columns + j] = wins ? lower[j] : upper[j];
        place[i * columns + j] = first + j + (wins ? width : 0);
      }
    }
    T* out = y + begin * p.ow;
    int32_t* won = winner + begin * p.ow;
#pragma omp simd
    for (int64_t j = 0; j < rows * p.ow; ++j) {
      const T left = larger[2 * j], right = larger[2 * j + 1];
      const int32_t at_left = place[2 * j], at_right = place[2 * j + 1];
      // Of equal ones, or NaNs, the first in reading order wins.
      const bool earlier = !beats(left, right) & (at_right < at_left);
      const bool wins = beats(right, left) | earlier;
      out[j] = wins ? right : left;
      won[j] = wins ? at_right : at_left;
    }
  }
}

}  // namespace

void max_pool_forward(const PoolProblem& p, const Tensor& x, Tensor& y, Tensor& winner) {
  const bool side_by_side =
      p.kernel == 2 && p.stride == 2 && p.padding == 0 && 2 * p.ow <= kPairedColumns;
  const std::vector<TapColumns> columns = tap_columns(p);
  dispatch_floating(x.dtype(), "max_pool2d", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    int32_t* won = winner.mutable_data<int32_t>();
    for_each_plane(p, [&](int64_t plane) {
      const int64_t from = plane * p.h * p.w, to = plane * p.oh * p.ow;
      if (side_by_side)
        max_pool_plane_2x2(p, in + from, in + x.size(), out + to, won + to);
      else if (p.stride.w == 1)
        max_pool_plane<1>(p, columns, in + from, out + to, won + to);
      else if (p.stride.w == 2)
        max_pool_plane<2>(p, columns, in + from, out + to, won + to);
      else
        max_pool_plane<0>(p, columns, in + from, out + to, won + to);
    });
  });
}

void max_pool_backward(const PoolProblem& p, const Tensor& dy, const Tensor& winner, Tensor& dx) {
  dispatch_floating(dy.dtype(), "max_pool2d", [&](auto zero) {
    using T = decltype(zero);
    const T* upstream = dy.data<T>();
    const int32_t* won = winner.data<int32_t>();
    T* out = dx.mutable_data<T>();
    for_each_plane(p, [&](int64_t plane) {
      T* image = out + plane * p.h * p.w;
      std::fill_n(image, p.h * p.w, T{0});
      const int64_t first = plane * p.oh * p.ow;
      for (int64_t i = first; i < first + p.oh * p.ow; ++i) image[won[i]] += upstream[i];
    });
  });
}

void avg_pool_forward(const PoolProblem& p, const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "avg_pool2d", [&](auto zero) {
    using T = decltype(zero);
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    for_each_plane(p, [&](int64_t plane) {
      const T* image = in + plane * p.h * p.w;
      for (int64_t i = 0; i < p.oh; ++i)
        for (int64_t j = 0; j < p.ow; ++j) {
          const Window window = window_at(p, i, j);
          double total = 0;
          for (int64_t row = window.rows.begin; row < window.rows.end; ++row)
            for (int64_t column = window.columns.begin; column < window.columns.end; ++column)
              total += image[row * p.w + column];
          out[(plane * p.oh + i) * p.ow + j] =
              static_cast<T>(total / static_cast<double>(window.counted));
        }
    });
  });
}

void avg_pool_backward(const PoolProblem& p, const Tensor& dy, Tensor& dx) {
  dispatch_floating(dy.dtype(), "avg_pool2d", [&](auto zero) {
    using T = decltype(zero);
    const T* upstream = dy.data<T>();
    T* out = dx.mutable_data<T>();
    for_each_plane(p, [&](int64_t plane) {
      T* image = out + plane * p.h * p.w;
      std::fill_n(image, p.h * p.w, T{0});
      for (int64_t i = 0; i < p.oh; ++i)
        for (int64_t j = 0; j < p.ow; ++j) {
          const Window window = window_at(p, i, j);
          const T share = upstream[(plane * p.oh + i) * p.ow + j] / static_cast<T>(window.counted);
          for (int64_t row = window.rows.begin; row < window.rows.end; ++row)
            for (int64_t column = window.columns.begin; column < window.columns.end; ++column)
              image[row * p.w + column] += share;
        }
    });
  });
}

}  // namespace pade::cpu
