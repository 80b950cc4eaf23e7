#pragma once

#include <type_traits>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>

/// The inner loops of direct convolution: a filter tap sees a run of memory (see TapPlane), so a
/// convolution is a weighted sum of shifted runs, and the gradient of a weight is the product of
/// two runs. Tiles of results stay in registers. Runs are read, and results are written, up to the
/// next multiple of kLaneCount.
namespace pade::cpu {

// kTileRows · kTileVectors sums, kTileVectors factors of them and a weight are in registers at
// once; of products, kProductRows · kProductTerms, kProductTerms and one.
inline constexpr int kTileVectors = kVectorRegisters == 32 ? 4 : 2;
inline constexpr int kTileRows = 4;
inline constexpr int kProductRows = 4;
inline constexpr int kProductTerms = kVectorRegisters == 32 ? 5 : 3;

/// f(std::integral_constant<int, n>) for n in [1, kMax].
template <int kMax, class F>
void with_constant(int64_t n, F&& f) {
  if constexpr (kMax > 1)
    if (n < kMax) return with_constant<kMax - 1>(n, f);
  f(std::integral_constant<int, kMax>{});
}

template <int kRows, int kVectors, class T>
void shifted_sums_strip(const T* source, const int64_t* offsets, int64_t terms, const T* weights,
                        const T* start, T* out, int64_t out_stride) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Lanes<T>{} + (start ? start[r] : T{0});
  for (int64_t t = 0; t < terms; ++t) {
    const T* from = source + offsets[t];
    Lanes<T> in[kVectors];
    for (int v = 0; v < kVectors; ++v) in[v] = load_lanes(from + v * kLanes);
    for (int r = 0; r < kRows; ++r)
      for (int v = 0; v < kVectors; ++v) sum[r][v] += weights[r * terms + t] * in[v];
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store_lanes<T>(out + r * out_stride + v * kLanes, sum[r][v]);
}

/// The size of the first of the fewest tiles, nearly equal ones, that make up `count`.
inline int64_t first_tile(int64_t count, int64_t largest) {
  return blocks_of(count, blocks_of(count, largest));
}

/// out[r][p] = start[r] + Σ_t weights[r][t] · source[offsets[t] + p] for p in [0, count) and
/// r in [0, rows), rows <= kTileRows. `start` may be null: zeros.
template <class T>
void shifted_sums(const T* source, const int64_t* offsets, int64_t terms, const T* weights,
                  const T* start, int64_t rows, T* out, int64_t out_stride, int64_t count) {
  with_constant<kTileRows>(rows, [&](auto tile_rows) {
    int64_t vectors = blocks_of(count, kLaneCount<T>);
    for (int64_t p = 0; vectors > 0;)
      with_constant<kTileVectors>(first_tile(vectors, kTileVectors), [&](auto tile_vectors) {
        shifted_sums_strip<tile_rows, tile_vectors>(source + p, offsets, terms, weights, start,
                                                    out + p, out_stride);
        vectors -= tile_vectors;
        p += tile_vectors * kLaneCount<T>;
      });
  });
}

/// The factors of shifted_products, for each of several images.
template <class T>
struct ShiftedFactors {
  const T* a;
  int64_t a_stride, a_image_stride;
  const T* source;
  int64_t source_image_stride;
  int64_t images, count;
};

template <int kRows, int kTerms, class T>
void shifted_products_tile(const ShiftedFactors<T>& factors, const T* a, const int64_t* offsets,
                           T* sums, int64_t sums_stride) {
  constexpr int kLanes = kLaneCount<T>;
  Lanes<T> sum[kRows][kTerms];
  for (int r = 0; r < kRows; ++r)
    for (int t = 0; t < kTerms; ++t) sum[r][t] = load_lanes(sums + r * sums_stride + t * kLanes);
  for (int64_t n = 0; n < factors.images; ++n, a += factors.a_image_stride) {
    const T* from[kTerms];
    for (int t = 0; t < kTerms; ++t)
      from[t] = factors.source + n * factors.source_image_stride + offsets[t];
    for (int64_t p = 0; p < factors.count; p += kLanes) {
      Lanes<T> in[kTerms];
      for (int t = 0; t < kTerms; ++t) in[t] = load_lanes(from[t] + p);
      for (int r = 0; r < kRows; ++r) {
        const Lanes<T> factor = load_lanes(a + r * factors.a_stride + p);
        for (int t = 0; t < kTerms; ++t) sum[r][t] += factor * in[t];
      }
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int t = 0; t < kTerms; ++t) store_lanes<T>(sums + r * sums_stride + t * kLanes, sum[r][t]);
}

/// sums[r][t] += Σ_image Σ_p a[r][p] · source[offsets[t] + p] for p in [0, count), in kLaneCount
/// partial sums that lie side by side.
template <class T>
void shifted_products(const ShiftedFactors<T>& factors, int64_t rows, const int64_t* offsets,
                      int64_t terms, T* sums) {
  constexpr int kLanes = kLaneCount<T>;
  for (int64_t r = 0; r < rows;)
    with_constant<kProductRows>(first_tile(rows - r, kProductRows), [&](auto tile_rows) {
      for (int64_t t = 0; t < terms;)
        with_constant<kProductTerms>(first_tile(terms - t, kProductTerms), [&](auto tile_terms) {
          shifted_products_tile<tile_rows, tile_terms>(factors, factors.a + r * factors.a_stride,
                                                       offsets + t, sums + (r * terms + t) * kLanes,
                                                       terms * kLanes);
          t += tile_terms;
        });
      r += tile_rows;
    });
}

}  // namespace pade::cpu
