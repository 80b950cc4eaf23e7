#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

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

namespace detail {

template <class T, int kBytes>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes)));
};
/// Lanes anywhere in memory.
template <class T>
struct PackedLanesOf {
  typedef T type __attribute__((vector_size(kLaneBytes), aligned(alignof(T)), may_alias));
};

}  // namespace detail

template <class T>
using Lanes = typename detail::VectorOf<T, kLaneBytes>::type;
template <class T>
inline constexpr int kLaneCount = kLaneBytes / static_cast<int>(sizeof(T));
/// Half a register's lanes, for what would leave the other half empty; all, where registers are so
/// short that half of one is none.
template <class T>
using HalfLanes =
    typename detail::VectorOf<T, kLaneBytes <= 16 ? kLaneBytes : kLaneBytes / 2>::type;
/// As many numbers as there are float64 lanes: half a register of float32.
template <class T>
using NarrowLanes = typename detail::VectorOf<T, kLaneCount<double> * sizeof(T)>::type;

template <class T>
inline Lanes<T> load_lanes(const T* from) {
  return *reinterpret_cast<const typename detail::PackedLanesOf<T>::type*>(from);
}

template <class T>
inline void store_lanes(T* to, const Lanes<T>& lanes) {
  *reinterpret_cast<typename detail::PackedLanesOf<T>::type*>(to) = lanes;
}

/// Numbers from memory as float64 lanes, and back.
template <class T>
inline Lanes<double> load_widened(const T* from) {
  NarrowLanes<T> lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return __builtin_convertvector(lanes, Lanes<double>);
}
template <class T>
inline void store_narrowed(T* to, const Lanes<double>& lanes) {
  const NarrowLanes<T> narrowed = __builtin_convertvector(lanes, NarrowLanes<T>);
  std::memcpy(to, &narrowed, sizeof narrowed);
}

/// Forces these lanes to stay in a register; the compiler might otherwise reload them for each use.
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
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(lanes));
#elif defined(__AVX__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(lanes));
#elif defined(__SSE2__)
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), reinterpret_cast<__m128i>(lanes));
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

/// Whether a result of `count` elements is better streamed: it is not in the caches any more when
/// it is read, and its runs, of `run` elements each, begin and end with whole vectors.
template <class T>
inline bool is_streamed(int64_t count, int64_t run) {
  constexpr int64_t kBytes = 16 << 20;
  return count * static_cast<int64_t>(sizeof(T)) >= kBytes && run % kLaneCount<T> == 0;
}

/// The first `count` lanes from memory, the others filled with `filler`.
template <class T>
inline Lanes<T> load_lanes(const T* from, int64_t count, T filler) {
  Lanes<T> lanes = Lanes<T>{} + filler;
#if defined(__AVX512F__)  // memcpy's call would take longer than many a loop that ends so
  if constexpr (sizeof(T) == 4)
    return _mm512_mask_loadu_ps(lanes, static_cast<__mmask16>((1u << count) - 1), from);
  else
    return _mm512_mask_loadu_pd(lanes, static_cast<__mmask8>((1u << count) - 1), from);
#elif defined(__AVX__)  // and a register's load would wait for each part that memcpy has stored
  static constexpr T kNumbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto is_loaded = load_lanes(kNumbers) < static_cast<T>(count);
  if constexpr (sizeof(T) == 4)
    return is_loaded ? Lanes<T>(_mm256_maskload_ps(from, __m256i(is_loaded))) : lanes;
  else
    return is_loaded ? Lanes<T>(_mm256_maskload_pd(from, __m256i(is_loaded))) : lanes;
#else
  std::memcpy(&lanes, from, static_cast<size_t>(count) * sizeof(T));
  return lanes;
#endif
}

template <class T>
inline void store_lanes(T* to, const Lanes<T>& lanes, int64_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), lanes);
  else
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), lanes);
#else
  std::memcpy(to, &lanes, static_cast<size_t>(count) * sizeof(T));
#endif
}

/// Every second one, from the first on, of a's lanes and then b's.
template <class T>
inline Lanes<T> even_lanes(const Lanes<T>& a, const Lanes<T>& b) {
  return [&]<int... kLane>(std::integer_sequence<int, kLane...>) {
    return __builtin_shufflevector(a, b, (2 * kLane)...);
  }
  (std::make_integer_sequence<int, kLaneCount<T>>());
}

/// The sum of the lanes, in float64 and in order.
template <class T>
inline double sum_lanes(const Lanes<T>& lanes) {
  double total = 0;
  for (int lane = 0; lane < kLaneCount<T>; ++lane) total += lanes[lane];
  return total;
}

/// The sum of the lanes, in pairs and pairs of these: in fewer steps, one after the other, than
/// there are lanes. Each step gives every lane the sum of its group of 2 kStep lanes.
template <int kStep = 1>
inline double sum_lanes_in_pairs(const Lanes<double>& lanes) {
  if constexpr (kStep == kLaneCount<double>)
    return lanes[0];
  else
    return [&]<int... kLane>(std::integer_sequence<int, kLane...>) {
      return sum_lanes_in_pairs<2 * kStep>(
          lanes + __builtin_shufflevector(lanes, lanes, (kLane ^ kStep)...));
    }
  (std::make_integer_sequence<int, kLaneCount<double>>());
}

}  // namespace pade
