#pragma once

#include <algorithm>
#include <type_traits>

#include <pade/core/kernels/cuda/conv2d_factors.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>
#include <pade/core/kernels/cuda/tf32.cuh>

/// The product of two matrices whose elements are computed when they are asked for: see
/// conv2d_factors.cuh for what `Factors` must have.
namespace pade::cuda::implicit_gemm {

/// A block's tile of the result, kRows × kColumns, and the panels of the factors in shared memory,
/// kDepth steps of the inner axis at a time: left[kDepth][kLeftPitch], right[kDepth][kRightPitch].
/// Their padding spreads the writes of the left panel's columns over the banks.
template <int kTileRows, int kTileColumns>
struct ConvTile {
  static constexpr int kRows = kTileRows, kColumns = kTileColumns, kDepth = 16;
  static constexpr int kLeftPitch = kRows + 4, kRightPitch = kColumns + 4;
};

/// The tile's sums in registers, 4 neighbouring columns of several rows a thread.
template <class T, class Tile>
class FmaSums {
 public:
  __device__ __forceinline__ void add(const T* left, const T* right) {
#pragma unroll
    for (int k = 0; k < Tile::kDepth; ++k) {
      T a[kRows], b[kColumns];
#pragma unroll
      for (int i = 0; i < kRows; ++i) a[i] = left[k * Tile::kLeftPitch + row() + i];
#pragma unroll
      for (int j = 0; j < kColumns; j += kPackSize<T>) {
        const Pack<T> pack = load_pack<kPackSize<T>>(right + k * Tile::kRightPitch + column() + j);
#pragma unroll
        for (int v = 0; v < kPackSize<T>; ++v) b[j + v] = pack.values[v];
      }
#pragma unroll
      for (int i = 0; i < kRows; ++i)
#pragma unroll
        for (int j = 0; j < kColumns; ++j) sums_[i][j] += a[i] * b[j];
    }
  }

  /// f(row, column, sum) for all that this thread holds.
  template <class F>
  __device__ __forceinline__ void for_each(F&& f) const {
#pragma unroll
    for (int i = 0; i < kRows; ++i)
#pragma unroll
      for (int j = 0; j < kColumns; ++j) f(row() + i, column() + j, sums_[i][j]);
  }

 private:
  static constexpr int kColumns = 4;
  static constexpr int kAcross = Tile::kColumns / kColumns;  // threads side by side
  static constexpr int kRows = Tile::kRows * kAcross / kThreads;

  __device__ static int row() { return static_cast<int>(threadIdx.x) / kAcross * kRows; }
  __device__ static int column() { return static_cast<int>(threadIdx.x) % kAcross * kColumns; }

  T sums_[kRows][kColumns] = {};
};

/// The same on the tensor cores: the eight warps lie 2 × 4 in a tile of 64 × 64, each with two by
/// two products of 16 × 8.
template <class Tile>
class Tf32Sums {
  static_assert(Tile::kRows == 64 && Tile::kColumns == 64);

 public:
  __device__ __forceinline__ void add(const float* left, const float* right) {
#pragma unroll
    for (int step = 0; step < Tile::kDepth; step += 8) {
      float a[2][4], b[2][2];
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int v = 0; v < 4; ++v)
          a[i][v] =
              to_tf32(left[(step + inner() + v / 2 * 4) * Tile::kLeftPitch + row(i) + v % 2 * 8]);
#pragma unroll
      for (int j = 0; j < 2; ++j)
#pragma unroll
        for (int v = 0; v < 2; ++v)
          b[j][v] = to_tf32(
              right[(step + inner() + v * 4) * Tile::kRightPitch + first_column(j) + outer()]);
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < 2; ++j) multiply_tf32(sums_[i][j], a[i], b[j]);
    }
  }

  template <class F>
  __device__ __forceinline__ void for_each(F&& f) const {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 2; ++j)
#pragma unroll
        for (int v = 0; v < 4; ++v)
          f(row(i) + v / 2 * 8, first_column(j) + 2 * inner() + v % 2, sums_[i][j][v]);
  }

 private:
  __device__ static int warp() { return static_cast<int>(threadIdx.x) / kWarpSize; }
  __device__ static int outer() { return static_cast<int>(threadIdx.x) % kWarpSize / 4; }
  __device__ static int inner() { return static_cast<int>(threadIdx.x) % 4; }
  __device__ static int row(int i) { return warp() / 4 * 32 + i * 16 + outer(); }
  __device__ static int first_column(int j) { return warp() % 4 * 16 + j * 8; }

  float sums_[2][2][4] = {};
};

/// Carries this thread's elements of both panels: from the factors to registers, while the panels
/// before are still in use, and from there to shared memory.
template <class T, class Tile, class Factors>
class PanelLoader {
 public:
  __device__ __forceinline__ PanelLoader(const Factors& factors, int group, int first_row,
                                         int first_column)
      : factors_(factors), group_(group), first_row_(first_row) {
    const int number = first_column + right_column();
    column_is_inside_ = number < factors.columns();
    column_ = factors.column(group, column_is_inside_ ? number : 0);
  }

  /// The panels from step `first` of the inner axis on; zeros from `end` on.
  __device__ __forceinline__ void load(int first, int end) {
#pragma unroll
    for (int i = 0; i < kLeft; ++i) {
      const int row = first_row_ + left_row(i), k = first + left_inner();
      left_[i] = row < factors_.rows() && k < end ? factors_.left(group_, row, k) : T{0};
    }
#pragma unroll
    for (int i = 0; i < kRight; ++i) {
      const int k = first + right_inner(i);
      right_[i] = column_is_inside_ && k < end ? factors_.right(column_, k) : T{0};
    }
  }

  __device__ __forceinline__ void store(T* left, T* right) const {
#pragma unroll
    for (int i = 0; i < kLeft; ++i) left[left_inner() * Tile::kLeftPitch + left_row(i)] = left_[i];
#pragma unroll
    for (int i = 0; i < kRight; ++i)
      right[right_inner(i) * Tile::kRightPitch + right_column()] = right_[i];
  }

 private:
  static constexpr int kLeft = Tile::kRows * Tile::kDepth / kThreads;
  static constexpr int kRight = Tile::kColumns * Tile::kDepth / kThreads;

  // The left factor's rows are contiguous along the inner axis, the right one's along its columns.
  __device__ static int left_inner() { return static_cast<int>(threadIdx.x) % Tile::kDepth; }
  __device__ static int left_row(int i) {
    return static_cast<int>(threadIdx.x) / Tile::kDepth + i * (kThreads / Tile::kDepth);
  }
  __device__ static int right_column() { return static_cast<int>(threadIdx.x) % Tile::kColumns; }
  __device__ static int right_inner(int i) {
    return static_cast<int>(threadIdx.x) / Tile::kColumns + i * (kThreads / Tile::kColumns);
  }

  const Factors& factors_;
  int group_, first_row_;
  bool column_is_inside_;
  typename Factors::Column column_;
  T left_[kLeft], right_[kRight];
};

/// Blocks that share a multiprocessor: as many as leave each enough registers.
template <class T, class Tile>
constexpr int kConvBlocks = sizeof(T) > sizeof(float) ? 2
                            : Tile::kRows < 64        ? 5
                                                      : 4;

/// Block (x, y, z): the tile's columns, its rows, and (group, slice of the inner axis).
template <class T, class Tile, class Sums, class Factors>
__global__ void __launch_bounds__(kThreads, (kConvBlocks<T, Tile>))
    conv2d_gemm_kernel(Factors factors, int groups, int slice_depth) {
  PADE_SHARED(Pack<T>, left_panel, [Tile::kDepth * Tile::kLeftPitch / kPackSize<T>]);
  PADE_SHARED(Pack<T>, right_panel, [Tile::kDepth * Tile::kRightPitch / kPackSize<T>]);
  T* left = reinterpret_cast<T*>(left_panel);
  T* right = reinterpret_cast<T*>(right_panel);
  const int first_column = blockIdx.x * Tile::kColumns, first_row = blockIdx.y * Tile::kRows;
  const int group = blockIdx.z % groups, slice = blockIdx.z / groups;
  const int begin = slice * slice_depth, end = min(factors.inner(), begin + slice_depth);

  PanelLoader<T, Tile, Factors> loader(factors, group, first_row, first_column);
  Sums sums;
  loader.load(begin, end);
  for (int k = begin; k < end; k += Tile::kDepth) {
    loader.store(left, right);
    __syncthreads();
    if (k + Tile::kDepth < end) loader.load(k + Tile::kDepth, end);  // on its way meanwhile
    sums.add(left, right);
    __syncthreads();
  }
  sums.for_each([&](int row, int column, T value) {
    if (first_row + row < factors.rows() && first_column + column < factors.columns())
      factors.store(group, slice, first_row + row, first_column + column, value);
  });
}

// ---------------------------------------------------------------------------------- launchers

using Square = ConvTile<64, 64>;
using Flat = ConvTile<16, 128>;  // for few rows

inline int tiles(int64_t extent, int tile) { return static_cast<int>(blocks_of(extent, tile)); }

/// The product, its inner axis cut into slices.
template <class T, class Factors>
void multiply(const char* op, const Factors& factors, int slices, int slice_depth) {
  const auto run = [&]<class Tile, class Sums>(Tile, Sums) {
    const dim3 grid(tiles(factors.columns(), Tile::kColumns), tiles(factors.rows(), Tile::kRows),
                    factors.c.groups * slices);
    launch(op, grid, conv2d_gemm_kernel<T, Tile, Sums, Factors>, factors, factors.c.groups,
           slice_depth);
  };
  if (factors.rows() <= Flat::kRows) return run(Flat{}, FmaSums<T, Flat>{});
  if constexpr (std::is_same_v<T, float>)
    if (tf32_allowed()) return run(Square{}, Tf32Sums<Square>{});
  run(Square{}, FmaSums<T, Square>{});
}

/// The pixels are cut by the problem's size alone, into so many slices that the GPU is busy, of at
/// least kLeast pixels.
template <class T>
void backward_weight(const char* op, WeightFactors<T> factors, T* dweight) {
  constexpr int kEnough = 512, kLeast = 256, kMost = 256;
  const int blocks = tiles(factors.rows(), Square::kRows) *
                     tiles(factors.columns(), Square::kColumns) * factors.c.groups;
  const int wanted =
      std::min({tiles(kEnough, std::max(1, blocks)), tiles(factors.inner(), kLeast), kMost});
  const int64_t slices = std::max(1, wanted);
  factors.slices = static_cast<int>(slices);
  const int depth = tiles(tiles(factors.inner(), factors.slices), Square::kDepth) * Square::kDepth;
  const int64_t weights = int64_t{factors.c.groups} * factors.rows() * factors.columns();
  Tensor partials = Tensor::empty({weights, slices}, dtype_of<T>(), Device::cuda);
  factors.partial = partials.mutable_address<T>();
  multiply<T>(op, factors, factors.slices, depth);
  sum_partials(op, partials.address<T>(), weights, factors.slices, StoreSum<T>{dweight});
}

}  // namespace pade::cuda::implicit_gemm
