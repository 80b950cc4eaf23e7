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

/// How many of them a processor has: what tiles of results must fit in.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kVectorRegisters = 32;
#else
inline constexpr int kVectorRegisters = 16;
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
/// As many float64 numbers as there are lanes: two registers of them for float32 lanes.
template <class T>
struct WideLanesOf;
template <>
struct WideLanesOf<float> {
  typedef double type __attribute__((vector_size(2 * kLaneBytes)));
};
template <>
struct WideLanesOf<double> {
  typedef double type __attribute__((vector_size(kLaneBytes)));
};
template <class T>
using WideLanes = typename WideLanesOf<T>::type;
/// Half a register's lanes, for what would leave the other half empty; all, where registers are so
/// short that half of one is none.
template <class T>
struct HalfLanesOf {
  typedef T type __attribute__((vector_size(kLaneBytes > 16 ? kLaneBytes / 2 : kLaneBytes)));
};
template <class T>
using HalfLanes = typename HalfLanesOf<T>::type;
template <class T>
inline constexpr int kLaneCount = kLaneBytes / static_cast<int>(sizeof(T));

namespace detail {

/// Lanes anywhere in memory.
template <class T>
struct PackedLanesOf {
  typedef T type __attribute__((vector_size(kLaneBytes), aligned(alignof(T)), may_alias));
};

}  // namespace detail

template <class T>
inline Lanes<T> load_lanes(const T* from) {
  return *reinterpret_cast<const typename detail::PackedLanesOf<T>::type*>(from);
}

template <class T>
inline void store_lanes(T* to, const Lanes<T>& lanes) {
  *reinterpret_cast<typename detail::PackedLanesOf<T>::type*>(to) = lanes;
}

/// Has the compiler keep these lanes in a register: it may else load them anew for each use.
template <class L>
inline void hold_lanes(L& lanes) {
#if defined(__SSE2__)
  asm("" : "+v"(lanes));
#elif defined(__aarch64__)
  asm("" : "+w"(lanes));
#else
  static_cast<void>(lanes);
#endif
}

/// `value` in every lane, held. Adding it to zeros would be an addition: −0 + 0 is not −0.
template <class L, class T>
inline L hold_in_every_lane(T value) {
  L lanes = value - L{};
  hold_lanes(lanes);
  return lanes;
}

/// store_lanes() past the caches, where processors can: for results that the caches do not hold
/// until they are read. `to` must be aligned to kLaneBytes. Others see them after
/// finish_streaming().
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

/// The one or the other.
template <bool kStreamed, class T>
inline void put_lanes(T* to, const Lanes<T>& lanes) {
  if constexpr (kStreamed)
    stream_lanes<T>(to, lanes);
  else
    store_lanes<T>(to, lanes);
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
