#pragma once

#include <type_traits>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/parallel.h>

/// Sums of products that stay in registers while their terms go by.
namespace pade::cpu {

/// The largest tiles of sums: so many rows of so many vectors. A vector for each column and one
/// factor of a row are in registers beside them.
inline constexpr int kTileRows = 6, kTileVectors = kVectorRegisters == 32 ? 4 : 2;

/// kRows times kVectors sums. What is where in memory is up to the functions that are passed; as
/// they are inlined, loops are the same as if all was written out. Unrolled early, by the pragmas,
/// as the compiler would otherwise keep the sums in memory before and after a loop over terms.
template <class L, int kRows, int kVectors>
struct RegisterTile {
  L sums[kRows][kVectors];

  /// f(row, vector, sum) for each of the sums.
  template <class F>
  void for_each(F&& f) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) f(r, v, sums[r][v]);
  }
  /// One term: adds factor(row) · vector(v) to the sums. A factor is a scalar or a vector.
  template <class Factor, class Vector>
  void add(Factor&& factor, Vector&& vector) {
    L vectors[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) vectors[v] = vector(v);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const auto of_row = factor(r);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sums[r][v] += vectors[v] * of_row;
    }
  }
};

/// These lanes in a register of their own: see hold_lanes().
template <class L>
inline L held(L lanes) {
  hold_lanes(lanes);
  return lanes;
}

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

/// f(first, std::integral_constant<int, size>) for each of these tiles.
template <int kMax, class F>
void for_each_tile(int64_t count, F&& f) {
  for (int64_t first = 0, size; first < count; first += size) {
    size = first_tile(count - first, kMax);
    with_constant<kMax>(size, [&](auto constant) { f(first, constant); });
  }
}

}  // namespace pade::cpu
