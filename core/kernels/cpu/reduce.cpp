#include <algorithm>

#include <pade/core/kernels/cpu/reduce.h>
#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/math/reduce.h>

namespace pade::cpu {
namespace {

template <class T>
struct Max {
  using Value = T;
  using Partial = Largest<T>;

  static constexpr T kLowest = kLargestOfNone<T>.value;
  static Partial identity() { return kLargestOfNone<T>; }

  static void add_run(Partial& best, const T* x, int64_t first, int64_t count) {
    T lanes[kRunLanes];
    std::fill_n(lanes, kRunLanes, kLowest);
    int64_t i = 0;
    for (; i + kRunLanes <= count; i += kRunLanes) {
#pragma omp simd
      for (int64_t lane = 0; lane < kRunLanes; ++lane)
        lanes[lane] = is_above(x[i + lane], lanes[lane]) ? x[i + lane] : lanes[lane];
    }
    T value = kLowest;
    for (; i < count; ++i) value = is_above(x[i], value) ? x[i] : value;
    if (count >= kRunLanes)
      for (T lane : lanes) value = is_above(lane, value) ? lane : value;
    if (!is_above(value, best.value)) return;
    i = 0;
    while (x[i] != value && x[i] == x[i]) ++i;
    best = {value, static_cast<int32_t>(first + i)};
  }

  static void add_row(Partial* best, const T* x, int64_t number, int64_t count) {
    for (int64_t j = 0; j < count; ++j)
      best[j] =
          is_above(x[j], best[j].value) ? Partial{x[j], static_cast<int32_t>(number)} : best[j];
  }

  static void combine(Partial& best, const Partial& later) {
    if (is_above(later.value, best.value)) best = later;
  }
};

void reduce_sum(const Tensor& x, const Shape& kept, double divisor, Tensor& y) {
  const LoopNest nest = loop_over(x.shape(), {x.shape(), kept});
  dispatch_floating(x.dtype(), "sum", [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    reduce<Sum<T>>(
        nest, 1, [=](const Offsets& at, int64_t, T*) { return in + at[0]; },
        [=](int64_t i, double sum) { out[i] = static_cast<T>(sum / divisor); });
  });
}

void reduce_max(const Tensor& x, const Shape& kept, Tensor& y, Tensor& number) {
  const LoopNest nest = loop_over(x.shape(), {x.shape(), kept});
  int32_t* numbers = number.mutable_data<int32_t>();
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    reduce<Max<T>>(
        nest, 1, [=](const Offsets& at, int64_t, T*) { return in + at[0]; },
        [=](int64_t i, const typename Max<T>::Partial& best) {
          out[i] = best.value;
          numbers[i] = best.number;
        });
  });
}

void reduce_max_backward(const Tensor& number, const Shape& kept, const Tensor& dy, Tensor& dx) {
  const SplitNest split = split_at_target(loop_over(dx.shape(), {dx.shape(), kept}), 1);
  const int32_t* numbers = number.data<int32_t>();
  dispatch_floating(dy.dtype(), "max", [&]<class T>(T) {
    const T* dys = dy.data<T>();
    T* out = dx.mutable_data<T>();
    parallel_for(split.kept.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      Position result(split.kept, split.kept.rank, begin);
      for (int64_t i = begin; i < end; ++i, result.advance()) {
        const Position element(split.reduced, split.reduced.rank, numbers[i]);
        out[result.offsets()[0] + element.offsets()[0]] = dys[i];
      }
    });
  });
}

}  // namespace

void add_reduce(Kernels& kernels) {
  kernels.reduce_sum = reduce_sum;
  kernels.reduce_max = reduce_max;
  kernels.reduce_max_backward = reduce_max_backward;
}

}  // namespace pade::cpu
