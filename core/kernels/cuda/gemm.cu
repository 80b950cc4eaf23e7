#include <pade/core/kernels/cuda/blas.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

/// Blocks compute tiles of C, kDepth steps of the inner axis at a time; a thread has every
/// kAcross-th row and column of the tile.
constexpr int kTile = 64, kDepth = 16, kAcross = 16, kMicro = kTile / kAcross;

/// A panel of a factor, whose stored rows run either along the inner axis (A, and B transposed) or
/// across it; zeros outside of the factor. "Across" are the rows of A, the columns of B.
template <class T>
__device__ __forceinline__ void load_panel(T (&panel)[kDepth][kTile + 1], const T* factor,
                                           int64_t stride, bool along_inner, int64_t first_across,
                                           int64_t across, int64_t first_inner, int64_t inner) {
  for (int i = threadIdx.x; i < kDepth * kTile; i += kThreads) {
    const int to_across = along_inner ? i / kDepth : i % kTile;  // neighbours as they are stored
    const int to_inner = along_inner ? i % kDepth : i / kTile;
    const int64_t row = first_across + to_across, k = first_inner + to_inner;
    panel[to_inner][to_across] = row < across && k < inner
                                     ? factor[along_inner ? row * stride + k : k * stride + row]
                                     : T(0);
  }
}

/// Block x: a tile of C, of all tiles of all matrices.
template <class T>
__global__ void __launch_bounds__(kThreads)
    gemm_kernel(GemmShape shape, unsigned tiles, unsigned tiles_across, const T* a, const T* b,
                T* c) {
  PADE_SHARED(T, left, [kDepth][kTile + 1]);
  PADE_SHARED(T, right, [kDepth][kTile + 1]);
  const int64_t matrix = blockIdx.x / tiles;
  const unsigned tile = blockIdx.x % tiles;
  const int64_t first_row = int64_t{tile / tiles_across} * kTile;
  const int64_t first_column = int64_t{tile % tiles_across} * kTile;
  const int thread_row = threadIdx.x / kAcross, thread_column = threadIdx.x % kAcross;
  T sums[kMicro][kMicro] = {};
  for (int64_t first = 0; first < shape.inner; first += kDepth) {
    load_panel(left, a + matrix * shape.a_batch, shape.a_stride, !shape.transpose_a, first_row,
               shape.rows, first, shape.inner);
    load_panel(right, b + matrix * shape.b_batch, shape.b_stride, shape.transpose_b, first_column,
               shape.columns, first, shape.inner);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kDepth; ++k)
#pragma unroll
      for (int i = 0; i < kMicro; ++i)
#pragma unroll
        for (int j = 0; j < kMicro; ++j)
          sums[i][j] += left[k][thread_row + i * kAcross] * right[k][thread_column + j * kAcross];
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kMicro; ++i)
#pragma unroll
    for (int j = 0; j < kMicro; ++j) {
      const int64_t row = first_row + thread_row + i * kAcross;
      const int64_t column = first_column + thread_column + j * kAcross;
      if (row >= shape.rows || column >= shape.columns) continue;
      T& to = c[matrix * shape.c_batch + row * shape.c_stride + column];
      to = shape.accumulate ? to + sums[i][j] : sums[i][j];
    }
}

}  // namespace

// ---------------------------------------------------------------------------------- launchers

template <class T>
void gemm_without_cublas(const GemmShape& shape, const T* a, const T* b, T* c) {
  if (shape.rows == 0 || shape.columns == 0 || shape.batch == 0) return;
  const int64_t tiles_across = blocks_of(shape.columns, kTile);
  const int64_t tiles = blocks_of(shape.rows, kTile) * tiles_across;
  launch("matmul", static_cast<unsigned>(tiles * shape.batch), gemm_kernel<T>, shape,
         static_cast<unsigned>(tiles), static_cast<unsigned>(tiles_across), a, b, c);
}

template void gemm_without_cublas(const GemmShape&, const float*, const float*, float*);
template void gemm_without_cublas(const GemmShape&, const double*, const double*, double*);

}  // namespace pade::cuda
