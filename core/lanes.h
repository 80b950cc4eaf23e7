#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

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

/// The same past the caches, where processors can: for results that the caches do not hold until
/// they are read. `to` must be aligned to kLaneBytes. Others see them after finish_streaming().
template <class T>
inline void stream_lanes(T* to, const Lanes<T>& lanes) {
#if defined(__AVX512F__)
  __m512i bytes;
  std::memcpy(&bytes, &lanes, sizeof bytes);
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), bytes);
#elif defined(__AVX__)
  __m256i bytes;
  std::memcpy(&bytes, &lanes, sizeof bytes);
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), bytes);
#elif defined(__SSE2__)
  __m128i bytes;
  std::memcpy(&bytes, &lanes, sizeof bytes);
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), bytes);
#else
  store_lanes<T>(to, lanes);
#endif
}

inline void finish_streaming() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

/// From so many bytes on a result is not in the caches any more when it is read.
inline constexpr int64_t kStreamedBytes = 16 << 20;

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
