#pragma once

#include <algorithm>
#include <type_traits>

#include <pade/core/kernels/cpu/runs.h>
#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>

/// Tiles of results that stay in registers while terms go by, as sums of products of a vector and a
/// number; and the product of matrices that a kernel lays out itself, so that nothing has to be
/// packed again for it as a general product would: rows of vectors, each a column per lane.
namespace pade::cpu {

/// How many vectors a tile is wide. Its sums, a vector for each column and one factor of a row are
/// in registers at once.
inline constexpr int kTileVectors = kVectorRegisters == 32 ? 4 : 2;

/// f(std::integral_constant<int, n>) for n in [1, kMax].
template <int kMax, class F>
void with_constant(int64_t n, F&& f) {
  if constexpr (kMax > 1)
    if (n < kMax) return with_constant<kMax - 1>(n, f);
  f(std::integral_constant<int, kMax>{});
}

/// The size of the first of the fewest tiles, nearly equal ones, that make up `count`.
inline int64_t first_tile(int64_t count, int64_t largest) {
  return blocks_of(count, blocks_of(count, largest));
}

/// The left side: of row r and term t, data[r · row_stride + t · term_stride] for as many terms as
/// a segment has, and so on with the next segment.
template <class T>
struct LaneFactors {
  const T* data;
  int64_t row_stride, term_stride, terms;
  int64_t segment, segment_stride;
};

/// The right side, a row for each term, or the results: vector v of row r begins at
/// data[r · row_stride + v · vector_stride].
template <class T>
struct LaneRows {
  T* data;
  int64_t row_stride, vector_stride;
};

/// Sums that stay in registers: this many rows of kTileVectors.
inline constexpr int kProductTileRows = kTileVectors == 4 ? 6 : 4;

namespace detail {

/// Not inlined, as then not all sums would stay in registers.
template <int kRows, int kVectors, class T>
[[gnu::noinline]] void multiply_lanes_tile(const LaneFactors<T>& factors, LaneRows<const T> in,
                                           const LaneRows<T>& out, bool add, PartsAhead& ahead) {
  Lanes<T> sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      sums[r][v] =
          add ? load_lanes(out.data + r * out.row_stride + v * out.vector_stride) : Lanes<T>{};
  const T* segment = factors.data;
  for (int64_t first = 0; first < factors.terms; first += factors.segment) {
    const int64_t count = std::min(factors.segment, factors.terms - first);
    const T* factor = segment;
    for (int64_t t = 0; t < count; ++t, factor += factors.term_stride, in.data += in.row_stride) {
      Lanes<T> vectors[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        vectors[v] = load_lanes(in.data + v * in.vector_stride);
        hold_lanes(vectors[v]);
      }
      ahead.step();
      for (int r = 0; r < kRows; ++r) {
        const Lanes<T> one = hold_in_every_lane<Lanes<T>>(factor[r * factors.row_stride]);
        for (int v = 0; v < kVectors; ++v) sums[r][v] += vectors[v] * one;
      }
    }
    segment += factors.segment_stride;
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      store_lanes<T>(out.data + r * out.row_stride + v * out.vector_stride, sums[r][v]);
}

}  // namespace detail

/// out[r][v] = Σ_t factors[r][t] · in[t][v] for r in [0, rows) and v in [0, vectors), vectors <=
/// kTileVectors; or += where `add`. Meanwhile it fetches `ahead_count` elements from `ahead` on,
/// which will be read next.
template <class T>
void multiply_lanes(LaneFactors<T> factors, int64_t rows, const LaneRows<const T>& in,
                    int64_t vectors, LaneRows<T> out, bool add, const T* ahead = nullptr,
                    int64_t ahead_count = 0) {
  const int64_t tiles = blocks_of(rows, kProductTileRows);
  PartsAhead parts(ahead, ahead_count, std::max<int64_t>(1, tiles * factors.terms));
  with_constant<kTileVectors>(vectors, [&](auto tile_vectors) {
    for (int64_t r = 0, count; r < rows; r += count) {
      count = first_tile(rows - r, kProductTileRows);
      with_constant<kProductTileRows>(count, [&](auto tile_rows) {
        detail::multiply_lanes_tile<tile_rows.value, tile_vectors.value>(factors, in, out, add,
                                                                         parts);
      });
      factors.data += count * factors.row_stride;
      out.data += count * out.row_stride;
    }
  });
}

}  // namespace pade::cpu
