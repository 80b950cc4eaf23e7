#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>

/// Copying short runs, for which a call of memcpy costs more than the copy.
namespace pade::cpu {

/// How many elements past their end functions that say so may touch, in either place.
template <class T>
inline constexpr int64_t kOvershoot = kLaneCount<T>;

/// Asks for memory a part at each of several steps: all at once is more than a processor keeps in
/// flight. It may end anywhere.
class PartsAhead {
 public:
  template <class T>
  PartsAhead(const T* from, int64_t count, int64_t steps)
      : at_(reinterpret_cast<const std::byte*>(from)),
        lines_(blocks_of(count * static_cast<int64_t>(sizeof(T)), steps * kLine)) {}
  void step() {
    for (int64_t line = 0; line < lines_; ++line, at_ += kLine) __builtin_prefetch(at_);
  }

 private:
  static constexpr int64_t kLine = 64;
  const std::byte* at_;
  int64_t lines_;
};

/// In pieces of kPiece bytes, the last of which may overlap the one before; smaller pieces where
/// not even one fits.
template <size_t kPiece>
inline void copy_pieces(const std::byte* from, std::byte* to, size_t bytes) {
  if (bytes >= kPiece) {
    for (size_t i = 0; i + kPiece <= bytes; i += kPiece) std::memcpy(to + i, from + i, kPiece);
    std::memcpy(to + bytes - kPiece, from + bytes - kPiece, kPiece);
  } else if constexpr (kPiece > sizeof(float)) {
    copy_pieces<kPiece / 2>(from, to, bytes);
  }
}

template <class T>
inline void copy_run(const T* from, T* to, int64_t count) {
  copy_pieces<kLaneBytes>(reinterpret_cast<const std::byte*>(from),
                          reinterpret_cast<std::byte*>(to), static_cast<size_t>(count) * sizeof(T));
}

/// to[i] = from[2 i]. Overshoots in `to` with `filler`, and reads nothing past the last element.
template <class T>
inline void copy_every_second(const T* from, T* to, int64_t count, T filler) {
  constexpr int64_t kLanes = kLaneCount<T>;
  int64_t rest = 2 * count - 1;
  for (; rest >= 2 * kLanes; rest -= 2 * kLanes, from += 2 * kLanes, to += kLanes)
    store_lanes<T>(to, even_lanes<T>(load_lanes(from), load_lanes(from + kLanes)));
  const auto part = [=](int64_t i) {
    return load_lanes(from + i, std::clamp<int64_t>(rest - i, 0, kLanes), filler);
  };
  if (rest > 0) store_lanes<T>(to, even_lanes<T>(part(0), part(kLanes)));
}

/// `count` elements of each row. Overshoots: write row after row.
template <class T>
inline void copy_rows(const T* from, int64_t from_stride, T* to, int64_t to_stride, int64_t rows,
                      int64_t count) {
  for (int64_t row = 0; row < rows; ++row, from += from_stride, to += to_stride)
    for (int64_t j = 0; j < count; j += kLaneCount<T>) store_lanes<T>(to + j, load_lanes(from + j));
}

/// to += from, `count` elements of each row. Overshoots, but writes what was there.
template <class T>
inline void add_rows(const T* from, int64_t from_stride, T* to, int64_t to_stride, int64_t rows,
                     int64_t count) {
  constexpr int64_t kLanes = kLaneCount<T>;
  Lanes<T> number;
  for (int64_t lane = 0; lane < kLanes; ++lane) number[lane] = static_cast<T>(lane);
  const int64_t whole = count / kLanes * kLanes;
  const auto in_tail = number < static_cast<T>(count - whole);
  for (int64_t row = 0; row < rows; ++row, from += from_stride, to += to_stride) {
    for (int64_t j = 0; j < whole; j += kLanes)
      store_lanes<T>(to + j, load_lanes(to + j) + load_lanes(from + j));
    if (whole == count) continue;
    const Lanes<T> old = load_lanes(to + whole);
    store_lanes<T>(to + whole, in_tail ? old + load_lanes(from + whole) : old);
  }
}

}  // namespace pade::cpu
