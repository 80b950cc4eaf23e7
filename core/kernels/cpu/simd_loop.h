#pragma once

#include <pade/core/kernels/cpu/simd_math.h>

/// Functions of numbers, applied to many of them: written once for lanes and for a number.
namespace pade::cpu {

/// float32 goes lane by lane; float64, which is for gradient checks and fits, one by one.
template <class T>
struct Vector {
  using type = T;
  static constexpr int64_t kCount = 1;
  static T load(const T* from) { return *from; }
  static T load(const T* from, int64_t) { return *from; }
  static void store(T value, T* to) { *to = value; }
  static void store(T value, T* to, int64_t) { *to = value; }
  static double sum(T value) { return value; }
};
template <>
struct Vector<float> {
  using type = FloatLanes;
  static constexpr int64_t kCount = kLaneCount<float>;
  static FloatLanes load(const float* from) { return FloatLanes(load_lanes(from)); }
  static FloatLanes load(const float* from, int64_t count) {
    return FloatLanes(load_lanes(from, count, 0.0f));
  }
  static void store(FloatLanes value, float* to) { store_lanes<float>(to, value.lanes); }
  static void store(FloatLanes value, float* to, int64_t count) {
    store_lanes<float>(to, value.lanes, count);
  }
  static double sum(FloatLanes value) { return sum_lanes<float>(value.lanes); }
};

/// to[i] = f(from[i]…) for begin <= i < end.
template <class F, class T, class... From>
void apply(F&& f, int64_t begin, int64_t end, T* to, const From*... from) {
  using Lane = Vector<T>;
  int64_t i = begin;
  for (; i + Lane::kCount <= end; i += Lane::kCount)
    Lane::store(f(Lane::load(from + i)...), to + i);
  if (i < end) Lane::store(f(Lane::load(from + i, end - i)...), to + i, end - i);
}

}  // namespace pade::cpu
