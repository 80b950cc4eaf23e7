#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <pade/core/kernels/cpu/conv2d/padded_plane.h>
#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/pool.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Calls f(first, last) for planes, several at a time where they are small.
template <class F>
void for_planes(const PoolProblem& p, F&& f) {
  parallel_for(p.planes, std::max<int64_t>(1, kElementBlock / std::max<int64_t>(1, p.h * p.w)), f);
}

template <class F>
void for_each_plane(const PoolProblem& p, F&& f) {
  for_planes(p, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) f(plane);
  });
}

/// As many rows of the output as keep what they see in L1.
int64_t rows_at_once(const PoolProblem& p) {
  constexpr int64_t kSeen = 6144;  // elements
  return std::clamp<int64_t>(kSeen / (p.stride.h * p.w), 1, p.oh);
}

/// The taps of windows on a TapPlane, where those of neighbouring outputs are neighbours: one run
/// for all outputs of `rows` rows.
struct Taps {
  Taps(const PoolProblem& p, int64_t rows_of_run)
      : rows(rows_of_run),
        plane({p.kernel, p.stride, p.padding, 1}, {p.h, p.w}, {rows, p.ow}),
        run(rows * plane.pitch),
        plane_elements(plane.size() + p.kernel.w) {
    for (int64_t kh = 0; kh < p.kernel.h; ++kh)
      for (int64_t kw = 0; kw < p.kernel.w; ++kw) offsets.push_back(plane.offset(kh, kw));
  }

  int64_t rows;
  TapPlane plane;
  std::vector<int64_t> offsets;  // where each tap's run begins
  int64_t run, plane_elements;   // without what loops overshoot
};

/// f(i, j) for each output, in the order of runs; `between` for what is there between the rows.
template <class N, class F>
std::vector<N> number_outputs(const PoolProblem& p, const Taps& taps, N between, F&& f) {
  const int64_t pitch = taps.plane.pitch;
  std::vector<N> numbers(blocks_of(p.oh, taps.rows) * taps.run + kLaneBytes, between);
  for (int64_t i = 0; i < p.oh; ++i)
    for (int64_t j = 0; j < p.ow; ++j) numbers[i * pitch + j] = static_cast<N>(f(i, j));
  return numbers;
}

/// What each window's mean is divided by.
template <class N>
std::vector<N> divisors(const PoolProblem& p, const Taps& taps) {
  return number_outputs<N>(p, taps, 1, [&](int64_t i, int64_t j) {
    return counted(p, inside_window(i, p.kernel.h, p.stride.h, p.padding.h, p.h),
                   inside_window(j, p.kernel.w, p.stride.w, p.padding.w, p.w));
  });
}

/// f(what a run sees, its first row, how many, its first output, what to ask for ahead) for each
/// run of planes, whose loops pool `outputs` at a step. Outside the images is `outside`.
template <class T, class F>
void for_each_run(const PoolProblem& p, const Taps& taps, const T* images, int64_t first,
                  int64_t last, T outside, int64_t outputs, F&& f) {
  Scratch<T> seen(taps.plane_elements + kOvershoot<T>);
  const int64_t elements = std::min(taps.rows * p.stride.h, p.h) * p.w;  // that a run sees
  for (int64_t plane = first; plane < last; ++plane)
    for (int64_t row = 0; row < p.oh; row += taps.rows) {
      const T* image = images + plane * p.h * p.w;
      taps.plane.fill(image, row, seen.data(), outside);
      const PartsAhead next(image + row * p.stride.h * p.w + elements, elements,
                            blocks_of(taps.run, outputs));
      f(seen.data(), row, std::min(taps.rows, p.oh - row), (plane * p.oh + row) * p.ow, next);
    }
}

/// Puts a run's outputs side by side.
template <class From, class To>
void copy_outputs(const From* run, int64_t pitch, To* to, int64_t rows, int64_t columns) {
  if (pitch == columns) columns *= std::exchange(rows, 1);
  for (int64_t i = 0; i < rows; ++i, run += pitch, to += columns)
    if constexpr (std::is_same_v<From, To>)
      copy_run(run, to, columns);
    else
      std::transform(run, run + columns, to, [](From value) { return static_cast<To>(value); });
}

/// A place in an image, as wide as the values that are compared, and lanes of them.
template <class T>
using Place = std::conditional_t<sizeof(T) == sizeof(int32_t), int32_t, int64_t>;
template <class T>
using Places = decltype(Lanes<T>{} > Lanes<T>{});

template <class T>
void max_pool(const PoolProblem& p, const T* x, T* y, int32_t* winner) {
  const Taps taps(p, rows_at_once(p));
  const int64_t pitch = taps.plane.pitch;
  auto top = [&](int64_t i) { return i * p.stride.h - p.padding.h; };
  auto left = [&](int64_t j) { return j * p.stride.w - p.padding.w; };
  // The corner of each window, and of what of it is in the image.
  const auto corners = number_outputs<Place<T>>(
      p, taps, 0, [&](int64_t i, int64_t j) { return top(i) * p.w + left(j); });
  const auto first = number_outputs<Place<T>>(p, taps, 0, [&](int64_t i, int64_t j) {
    return std::max<int64_t>(top(i), 0) * p.w + std::max<int64_t>(left(j), 0);
  });
  std::vector<Place<T>> steps;  // from the corner to each tap
  for (int64_t kh = 0; kh < p.kernel.h; ++kh)
    for (int64_t kw = 0; kw < p.kernel.w; ++kw)
      steps.push_back(static_cast<Place<T>>(kh * p.w + kw));

  // Of a run that begins with output number `begin`.
  auto pool = [&](const T* seen, int64_t begin, PartsAhead ahead, T* best_of, Place<T>* won_by) {
    for (int64_t i = 0; i < taps.run; i += kLaneCount<T>) {
      Lanes<T> best = Lanes<T>{} - std::numeric_limits<T>::infinity();
      ahead.step();
      Places<T> won, corner;  // the first one's, where all are −∞
      std::memcpy(&won, &first[begin + i], sizeof won);
      std::memcpy(&corner, &corners[begin + i], sizeof corner);
      for (size_t tap = 0; tap < steps.size(); ++tap) {
        const Lanes<T> value = load_lanes(seen + taps.offsets[tap] + i);
        const Places<T> wins = is_above(value, best);
        best = wins ? value : best;
        won = wins ? corner + steps[tap] : won;
      }
      store_lanes<T>(best_of + i, best);
      std::memcpy(won_by + i, &won, sizeof won);
    }
  };
  for_planes(p, [&](int64_t begin, int64_t end) {
    Scratch<T> best(taps.run + kOvershoot<T>);
    Scratch<Place<T>> won(taps.run + kOvershoot<T>);
    for_each_run(p, taps, x, begin, end, -std::numeric_limits<T>::infinity(), kLaneCount<T>,
                 [&](const T* seen, int64_t row, int64_t rows, int64_t output, PartsAhead ahead) {
                   pool(seen, row * pitch, ahead, best.data(), won.data());
                   copy_outputs(best.data(), pitch, y + output, rows, p.ow);
                   copy_outputs(won.data(), pitch, winner + output, rows, p.ow);
                 });
  });
}

/// The mean of each window.
template <class T>
void avg_pool(const PoolProblem& p, const T* x, T* y) {
  const Taps taps(p, rows_at_once(p));
  const int64_t pitch = taps.plane.pitch;
  const std::vector<double> counts = divisors<double>(p, taps);
  auto pool = [&](const T* seen, int64_t begin, PartsAhead ahead, T* means) {
    for (int64_t i = 0; i < taps.run; i += kLaneCount<double>) {
      ahead.step();
      Lanes<double> sum{};
      for (const int64_t offset : taps.offsets) sum += load_widened(seen + offset + i);
      store_narrowed(means + i, sum / load_lanes(&counts[begin + i]));
    }
  };
  for_planes(p, [&](int64_t begin, int64_t end) {
    Scratch<T> means(taps.run + kOvershoot<T>);
    for_each_run(p, taps, x, begin, end, T{0}, kLaneCount<double>,
                 [&](const T* seen, int64_t row, int64_t rows, int64_t output, PartsAhead ahead) {
                   pool(seen, row * pitch, ahead, means.data());
                   copy_outputs(means.data(), pitch, y + output, rows, p.ow);
                 });
  });
}

/// Pixels collect from windows, in the order of these.
template <class T>
void avg_pool_collect(const PoolProblem& p, const T* dy, T* dx) {
  const Taps taps(p, p.oh);
  const int64_t pitch = taps.plane.pitch;
  const std::vector<T> counts = divisors<T>(p, taps);
  for_planes(p, [&](int64_t first, int64_t last) {
    Scratch<T> shares(taps.run), sums(taps.plane_elements);
    std::fill_n(shares.data(), taps.run, T{0});  // and so it stays between the rows
    const T* of_plane = dy + first * p.oh * p.ow;
    for (int64_t plane = first; plane < last; ++plane) {
      for (int64_t i = 0; i < p.oh; ++i, of_plane += p.ow)
        for (int64_t j = 0; j < p.ow; ++j)
          shares.data()[i * pitch + j] = of_plane[j] / counts[i * pitch + j];
      std::fill_n(sums.data(), taps.plane_elements, T{0});
      for (auto offset = taps.offsets.rbegin(); offset != taps.offsets.rend(); ++offset) {
        const T* share = shares.data();
        T* sum = sums.data() + *offset;
#pragma omp simd
        for (int64_t i = 0; i < taps.run; ++i) sum[i] += share[i];
      }
      taps.plane.copy_to(dx + plane * p.h * p.w, sums.data());
    }
  });
}

constexpr int64_t kPairedColumns = 1024;

/// Whether windows are 2×2 side by side, at most kPairedColumns / 2 in a row.
bool is_2x2(const PoolProblem& p) {
  return p.kernel == 2 && p.stride == 2 && p.padding == 0 && 2 * p.ow <= kPairedColumns;
}

/// Pools such a plane by down(row, lower row, columns, where to) for the pairs of rows, and then
/// across(first output, outputs) for what neighbouring columns have become: both steps fill
/// vectors. `end`: how far whole vectors may be read, of columns that are not looked at.
template <class T, class Down, class Across>
void pool_2x2(const PoolProblem& p, const T* x, const T* end, Down&& down, Across&& across) {
  const int64_t columns = 2 * p.ow, rows_at_once = kPairedColumns / columns;
  const int64_t whole_vectors = blocks_of(columns, kLaneCount<T>) * kLaneCount<T>;
  for (int64_t begin = 0; begin < p.oh; begin += rows_at_once) {
    const int64_t rows = std::min(rows_at_once, p.oh - begin);
    for (int64_t i = 0; i < rows; ++i) {
      const T *upper = x + (begin + i) * 2 * p.w, *lower = upper + p.w;
      down(upper, lower, end - lower >= whole_vectors ? whole_vectors : columns, i * columns);
    }
    across(begin * p.ow, rows * p.ow);
  }
}

template <class T>
void max_pool_2x2(const PoolProblem& p, const T* x, const T* end, T* y, int32_t* winner) {
  T larger[kPairedColumns + kLaneCount<T>];
  int32_t place[kPairedColumns + kLaneCount<T>];
  auto down = [&, width = static_cast<int32_t>(p.w)](const T* upper, const T* lower, int64_t count,
                                                     int64_t to) {
    const int32_t first = static_cast<int32_t>(upper - x);
#pragma omp simd
    for (int32_t j = 0; j < count; ++j) {
      const bool wins = is_above(lower[j], upper[j]);
      larger[to + j] = wins ? lower[j] : upper[j];
      place[to + j] = first + j + (wins ? width : 0);
    }
  };
  auto across = [&](int64_t first, int64_t count) {
    T* out = y + first;
    int32_t* won = winner + first;
#pragma omp simd
    for (int64_t j = 0; j < count; ++j) {
      const T left = larger[2 * j], right = larger[2 * j + 1];
      const int32_t at_left = place[2 * j], at_right = place[2 * j + 1];
      // Of equal ones, or NaNs, the first in reading order wins.
      const bool earlier = !is_above(left, right) & (at_right < at_left);
      const bool wins = is_above(right, left) | earlier;
      out[j] = wins ? right : left;
      won[j] = wins ? at_right : at_left;
    }
  };
  pool_2x2(p, x, end, down, across);
}

/// Sums of two float32 numbers hardly ever round in float64, in whichever order.
template <class T>
void avg_pool_2x2(const PoolProblem& p, const T* x, const T* end, T* y) {
  double sums[kPairedColumns + kLaneCount<T>];
  auto down = [&](const T* upper, const T* lower, int64_t count, int64_t to) {
#pragma omp simd
    for (int64_t j = 0; j < count; ++j)
      sums[to + j] = static_cast<double>(upper[j]) + static_cast<double>(lower[j]);
  };
  auto across = [&](int64_t first, int64_t count) {
    T* out = y + first;
#pragma omp simd
    for (int64_t j = 0; j < count; ++j)
      out[j] = static_cast<T>((sums[2 * j] + sums[2 * j + 1]) / 4);
  };
  pool_2x2(p, x, end, down, across);
}

/// Windows side by side: each gives its pixels the same. kWidth is kernel.w where it is known to
/// the compiler, else 0.
template <int64_t kWidth, class T>
void spread_means(const PoolProblem& p, const T* dy, T* dx) {
  const int64_t width = kWidth ? kWidth : p.kernel.w;
  const T divisor = static_cast<T>(p.kernel.area());
  if (p.oh * p.kernel.h < p.h || p.ow * width < p.w) std::fill_n(dx, p.h * p.w, T{0});
  for (int64_t i = 0; i < p.oh; ++i, dy += p.ow) {
    T* row = dx + i * p.kernel.h * p.w;
#pragma omp simd
    for (int64_t j = 0; j < p.ow; ++j) {
      const T share = dy[j] / divisor;
      for (int64_t k = 0; k < width; ++k) row[j * width + k] = share;
    }
    for (int64_t k = 1; k < p.kernel.h; ++k) copy_run(row, row + k * p.w, p.ow * width);
  }
}

/// Whether the only window is the whole image.
bool is_global(const PoolProblem& p) { return p.kernel == Size2(p.h, p.w) && p.padding == 0; }

void max_pool_forward(const PoolProblem& p, const Tensor& x, Tensor& y, Tensor& winner) {
  if (y.size() == 0) return;
  dispatch_floating(x.dtype(), "max_pool2d", [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    int32_t* won = winner.mutable_data<int32_t>();
    const int64_t image = p.h * p.w, outputs = p.oh * p.ow;
    if (!is_2x2(p)) return max_pool(p, in, out, won);
    for_each_plane(p, [&](int64_t plane) {
      max_pool_2x2(p, in + plane * image, in + x.size(), out + plane * outputs,
                   won + plane * outputs);
    });
  });
}

void max_pool_backward(const PoolProblem& p, const Tensor& dy, const Tensor& winner, Tensor& dx) {
  dispatch_floating(dy.dtype(), "max_pool2d", [&]<class T>(T) {
    const T* dys = dy.data<T>();
    const int32_t* won = winner.data<int32_t>();
    T* out = dx.mutable_data<T>();
    for_each_plane(p, [&](int64_t plane) {
      T* image = out + plane * p.h * p.w;
      std::fill_n(image, p.h * p.w, T{0});
      const int64_t first = plane * p.oh * p.ow;
      for (int64_t i = first; i < first + p.oh * p.ow; ++i) image[won[i]] += dys[i];
    });
  });
}

void avg_pool_forward(const PoolProblem& p, const Tensor& x, Tensor& y) {
  if (y.size() == 0) return;
  dispatch_floating(x.dtype(), "avg_pool2d", [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    const int64_t image = p.h * p.w;
    if (is_global(p))
      return for_each_plane(p, [&](int64_t plane) {
        double sum = 0;
        Sum<T>::add_run(sum, in + plane * image, 0, image);
        out[plane] = static_cast<T>(sum / static_cast<double>(image));
      });
    if (!is_2x2(p)) return avg_pool(p, in, out);
    for_each_plane(p, [&](int64_t plane) {
      avg_pool_2x2(p, in + plane * image, in + x.size(), out + plane * p.oh * p.ow);
    });
  });
}

void avg_pool_backward(const PoolProblem& p, const Tensor& dy, Tensor& dx) {
  if (dy.size() == 0) return;
  dispatch_floating(dy.dtype(), "avg_pool2d", [&]<class T>(T) {
    const T* dys = dy.data<T>();
    T* out = dx.mutable_data<T>();
    const int64_t image = p.h * p.w, outputs = p.oh * p.ow;
    if (is_global(p))
      return for_each_plane(p, [&](int64_t plane) {
        std::fill_n(out + plane * image, image, dys[plane] / static_cast<T>(image));
      });
    if (p.kernel != p.stride || p.padding != 0) return avg_pool_collect(p, dys, out);
    for_each_plane(p, [&](int64_t plane) {
      const T* from = dys + plane * outputs;
      T* to = out + plane * image;
      p.kernel.w == 2 ? spread_means<2>(p, from, to) : spread_means<0>(p, from, to);
    });
  });
}

}  // namespace

void add_pool(Kernels& kernels) {
  kernels.max_pool_forward = max_pool_forward;
  kernels.max_pool_backward = max_pool_backward;
  kernels.avg_pool_forward = avg_pool_forward;
  kernels.avg_pool_backward = avg_pool_backward;
}

}  // namespace pade::cpu
