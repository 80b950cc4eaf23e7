#include <algorithm>
#include <array>

#include <pade/core/kernels/cpu/conv2d/blocks.h>
#include <pade/core/kernels/cpu/conv2d/methods.h>
#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/scratch.h>
#include <pade/core/kernels/cpu/transpose.h>
#include <pade/core/kernels/math/host_device.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

/// Of images, in elements, that are taken at once: what is copied is read a little later, when it
/// has arrived in the cache. (Loads across the borders of pending stores would wait for these.)
constexpr int64_t kAtOnce = 2048;

/// Planes of one image size, one after another, with zeros in front, in between and at the end: a
/// tap of a kernel of kTaps × kTaps sees a plane moved by a fixed distance,
///
///   y[p] = Σ_v inside_v[p] Σ_u w[u][v] x[p + distance(u, v)],
///
/// where what lies above and below the plane is zero, and inside_v[p] is 1 where column(p) + v −
/// kTaps/2 is one of the plane's, else 0: there the neighbour in memory is of another row.
template <int kTaps, class T>
class Planes {
 public:
  explicit Planes(Size2 size)
      : at_once(std::max<int64_t>(1, kAtOnce / std::max<int64_t>(1, size.area()))),
        size_(size),
        margin_(blocks_of(kBefore * size.w + kBefore, kLanes) * kLanes),
        padded_area_(blocks_of(size.area(), kLanes) * kLanes),
        planes_(at_once * pitch() + 2 * margin_, T{0}),
        inside_(kTaps * padded_area_) {
    for (int v = 0; v < kTaps; ++v)
      for (int64_t p = 0; p < padded_area_; ++p) {
        const int64_t column = p % std::max<int64_t>(1, size.w) + v - kBefore;
        inside_.data()[v * padded_area_ + p] = column >= 0 && column < size.w ? 1 : 0;
      }
  }

  /// `count` planes that are `stride` elements apart.
  void load(const T* tensor, int64_t stride, int64_t count) const {
    for (int64_t i = 0; i < count; ++i, tensor += stride)
      copy_run(tensor, planes_.data() + margin_ + i * pitch(), size_.area());
  }
  /// What the first taps of each row see of a plane's first pixel.
  std::array<const T*, kTaps> rows(int64_t plane) const {
    std::array<const T*, kTaps> rows;
    for (int u = 0; u < kTaps; ++u)
      rows[u] = planes_.data() + margin_ + plane * pitch() + (u - kBefore) * size_.w - kBefore;
    return rows;
  }
  Lanes<T> inside(int v, int64_t p) const {
    return load_lanes(inside_.data() + v * padded_area_ + p);
  }

  const int64_t at_once;

 private:
  static constexpr int64_t kLanes = kLaneCount<T>, kBefore = kTaps / 2;
  int64_t pitch() const { return margin_ + padded_area_; }

  Size2 size_;
  int64_t margin_, padded_area_;
  Scratch<T> planes_, inside_;
};

/// Tap (u, v) sees rows[u] + v + p.
template <int kTaps, class T>
struct Filter {
  Lanes<T> taps[kTaps][kTaps];

  Filter(const T* weight, bool flipped) {
    constexpr int kLast = kTaps * kTaps - 1;
#pragma GCC unroll 32
    for (int tap = 0; tap <= kLast; ++tap)
      taps[tap / kTaps][tap % kTaps] = Lanes<T>{} + weight[flipped ? kLast - tap : tap];
  }
};

/// One vector of results, from pixel p on.
template <int kTaps, class T>
PADE_HD Lanes<T> convolve(const Planes<kTaps, T>& planes, const std::array<const T*, kTaps>& rows,
                          const Filter<kTaps, T>& filter, const Lanes<T>& start, int64_t p) {
  Lanes<T> sum = start;
  PADE_UNROLL
  for (int v = 0; v < kTaps; ++v) {
    Lanes<T> column = filter.taps[0][v] * load_lanes(rows[0] + p + v);
    PADE_UNROLL
    for (int u = 1; u < kTaps; ++u) column += filter.taps[u][v] * load_lanes(rows[u] + p + v);
    if (v == kTaps / 2)
      sum += column;
    else
      sum += planes.inside(v, p) * column;
  }
  return sum;
}

/// `ahead`: as many pixels that are read later, fetched meanwhile.
template <int kTaps, bool kStreamed, class T>
void convolve_plane(const Planes<kTaps, T>& planes, int64_t plane, const T* weight, bool flipped,
                    T bias, int64_t pixels, const T* ahead, T* to) {
  constexpr int64_t kLanes = kLaneCount<T>;
  const Filter<kTaps, T> filter(weight, flipped);
  const Lanes<T> start = Lanes<T>{} + bias;
  const std::array<const T*, kTaps> rows = planes.rows(plane);
  int64_t p = 0;
  for (; p + kLanes <= pixels; p += kLanes) {
    __builtin_prefetch(ahead + p);
    put_lanes<kStreamed, T>(to + p, convolve<kTaps, T>(planes, rows, filter, start, p));
  }
  if (p < pixels)
    store_lanes<T>(to + p, convolve<kTaps, T>(planes, rows, filter, start, p), pixels - p);
}

/// to = start + from convolved with the filters, plane by plane; `flipped`: with them flipped.
template <int kTaps, class T>
void convolve_all(const Conv2dProblem& problem, const T* from, const T* weight, bool flipped,
                  const T* start, T* to) {
  const int64_t pixels = problem.image.area(), planes = problem.images * problem.in_channels;
  const bool streamed = is_streamed<T>(planes * pixels, pixels);
  parallel_for(planes, units_per_block(problem.multiplications()), [&](int64_t begin, int64_t end) {
    const Planes<kTaps, T> source(problem.image);
    for (int64_t first = begin, count; first < end; first += count) {
      count = std::min(source.at_once, end - first);
      source.load(from + first * pixels, pixels, count);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t channel = (first + i) % problem.in_channels;
        const T* filter = weight + channel * kTaps * kTaps;
        const T bias = start ? start[channel] : T{0};
        const T* ahead = from + std::min(first + i + count, end - 1) * pixels;
        T* results = to + (first + i) * pixels;
        if (streamed)
          convolve_plane<kTaps, true>(source, i, filter, flipped, bias, pixels, ahead, results);
        else
          convolve_plane<kTaps, false>(source, i, filter, flipped, bias, pixels, ahead, results);
      }
    }
    if (streamed) finish_streaming();
  });
}

/// Adds to the filter's gradient lane by lane, [taps][lanes], what `count` planes and those of dy,
/// `stride` elements apart, contribute. Fetches the next ones meanwhile.
template <int kTaps, class T>
void correlate(const Planes<kTaps, T>& planes, const T* dy, int64_t stride, int64_t count,
               int64_t pixels, const T* next_x, const T* next_dy, T* gradient) {
  constexpr int64_t kLanes = kLaneCount<T>;
  Lanes<T> sums[kTaps][kTaps];
#pragma GCC unroll 32
  for (int tap = 0; tap < kTaps * kTaps; ++tap)
    sums[tap / kTaps][tap % kTaps] = load_lanes(gradient + tap * kLanes);
  for (int64_t i = 0; i < count; ++i, dy += stride, next_x += stride, next_dy += stride) {
    const std::array<const T*, kTaps> rows = planes.rows(i);
    for (int64_t p = 0; p < pixels; p += kLanes) {
      __builtin_prefetch(next_x + p);
      __builtin_prefetch(next_dy + p);
      const Lanes<T> dys =
          p + kLanes <= pixels ? load_lanes(dy + p) : load_lanes(dy + p, pixels - p, T{0});
      PADE_UNROLL
      for (int v = 0; v < kTaps; ++v) {
        const Lanes<T> inside = v == kTaps / 2 ? dys : dys * planes.inside(v, p);
        PADE_UNROLL
        for (int u = 0; u < kTaps; ++u) sums[u][v] += inside * load_lanes(rows[u] + p + v);
      }
    }
  }
#pragma GCC unroll 32
  for (int tap = 0; tap < kTaps * kTaps; ++tap)
    store_lanes<T>(gradient + tap * kLanes, sums[tap / kTaps][tap % kTaps]);
}

template <int kTaps, class T>
void correlate_all(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const int64_t pixels = problem.image.area(), channels = problem.in_channels;
  const int64_t stride = channels * pixels;
  constexpr int64_t kFilter = kTaps * kTaps;
  sum_over_images(
      problem.images, channels, channels * kFilter, dweight,
      [&](int64_t first_image, int64_t end_image, int64_t begin, int64_t end, T* partial) {
        const Planes<kTaps, T> source(problem.image);
        const Scratch<T> gradient(kFilter * kLaneCount<T>);
        for (int64_t c = begin; c < end; ++c) {
          std::fill_n(gradient.data(), kFilter * kLaneCount<T>, T{0});
          for (int64_t image = first_image, count; image < end_image; image += count) {
            count = std::min(source.at_once, end_image - image);
            const bool last = image + count == end_image;
            const int64_t plane = image * stride + c * pixels;
            const int64_t next = last ? first_image * stride + std::min(c + 1, end - 1) * pixels
                                      : plane + count * stride;
            source.load(x + plane, stride, count);
            correlate(source, dy + plane, stride, count, pixels, x + next, dy + next,
                      gradient.data());
          }
          sum_each(gradient.data(), kFilter, partial + c * kFilter);
        }
      });
}

bool is_possible(const Conv2dProblem& problem, DType) {
  const Window& w = problem.window;
  return problem.group_in() == 1 && problem.group_out() == 1 && (w.kernel == 3 || w.kernel == 5) &&
         w.stride == 1 && w.dilation == 1 && w.padding == w.kernel.w / 2;
}

template <class T>
void forward(const Conv2dProblem& problem, const T* x, const T* weight, const T* bias, T* y) {
  const auto convolve = problem.window.kernel == 3 ? convolve_all<3, T> : convolve_all<5, T>;
  convolve(problem, x, weight, false, bias, y);
}

template <class T>
void backward_data(const Conv2dProblem& problem, const T* weight, const T* dy, T* dx) {
  const auto convolve = problem.window.kernel == 3 ? convolve_all<3, T> : convolve_all<5, T>;
  convolve(problem, dy, weight, true, nullptr, dx);
}

template <class T>
void backward_weight(const Conv2dProblem& problem, const T* x, const T* dy, T* dweight) {
  const auto correlate = problem.window.kernel == 3 ? correlate_all<3, T> : correlate_all<5, T>;
  correlate(problem, x, dy, dweight);
}

}  // namespace

const Method kDepthwiseSameSize{"depthwise_same_size",
                                is_possible,
                                {forward<float>, backward_data<float>, backward_weight<float>},
                                {forward<double>, backward_data<double>, backward_weight<double>}};

}  // namespace pade::cpu
