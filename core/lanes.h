#pragma once

#include <cstdint>
#include <cstring>

/// A vector register's worth of scalars (GCC's and clang's vector extensions): arithmetic,
/// comparisons and ?: work lane by lane. For kernels that the compiler would not vectorise alone.
namespace pade {

#if defined(__AVX512F__)
inline constexpr int kLaneBytes = 64;
#elif defined(__AVX__)
inline constexpr int kLaneBytes = 32;
#else
inline constexpr int kLaneBytes = 16;
#endif

template <class T>
struct LanesOf;
template <>
struct LanesOf<float> {
  typedef float type __attribute__((vector_size(kLaneBytes)));
};
template <>
struct LanesOf<double> {
  typedef double type __attribute__((vector_size(kLaneBytes)));
};
template <class T>
using Lanes = typename LanesOf<T>::type;
template <class T>
inline constexpr int kLaneCount = kLaneBytes / static_cast<int>(sizeof(T));

template <class T>
inline Lanes<T> load_lanes(const T* from) {
  Lanes<T> lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

template <class T>
inline void store_lanes(T* to, const Lanes<T>& lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}

/// The first `count` lanes from memory, the others filled with `filler`.
template <class T>
inline Lanes<T> load_lanes(const T* from, int64_t count, T filler) {
  Lanes<T> lanes = Lanes<T>{} + filler;
  std::memcpy(&lanes, from, static_cast<size_t>(count) * sizeof(T));
  return lanes;
}

template <class T>
inline void store_lanes(T* to, const Lanes<T>& lanes, int64_t count) {
  std::memcpy(to, &lanes, static_cast<size_t>(count) * sizeof(T));
}

/// The sum of the lanes, in float64 and in order.
template <class T>
inline double sum_lanes(const Lanes<T>& lanes) {
  double total = 0;
  for (int lane = 0; lane < kLaneCount<T>; ++lane) total += lanes[lane];
  return total;
}

}  // namespace pade
