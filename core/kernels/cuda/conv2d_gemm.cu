#include <algorithm>
#include <type_traits>

#include <pade/core/kernels/cuda/conv2d.cuh>
#include <pade/core/kernels/cuda/conv2d_gemm.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

namespace pade::cuda::implicit_gemm {
namespace {

using Square = ConvTile<64, 64>;
using Flat = ConvTile<16, 128>;  // for few rows

int tiles(int extent, int tile) { return (extent + tile - 1) / tile; }

/// Calls use(tile, sums) with the tile that suits a result with so many rows.
template <class T, class F>
void with_tile(int rows, F&& use) {
  if (rows <= Flat::kRows) return use(Flat{}, FmaSums<T, Flat>{});
  if constexpr (std::is_same_v<T, float>)
    if (tf32_allowed()) return use(Square{}, Tf32Sums<Square>{});
  use(Square{}, FmaSums<T, Square>{});
}

template <class T, class Factors>
void multiply(const char* op, const Factors& factors, int slices, int slice_depth) {
  with_tile<T>(factors.rows(), [&](auto tile, auto sums) {
    using Tile = decltype(tile);
    const dim3 grid(tiles(factors.columns(), Tile::kColumns), tiles(factors.rows(), Tile::kRows),
                    factors.c.groups * slices);
    launch(op, {grid}, conv2d_gemm_kernel<T, Tile, decltype(sums), Factors>, factors,
           factors.c.groups, slice_depth);
  });
}

/// Into how many pieces the pixels are cut for a weight gradient, by the problem's size alone: so
/// many that the GPU is busy, of at least kLeast pixels.
template <class Factors>
int slices_of(const Factors& factors) {
  constexpr int kEnough = 512, kLeast = 256, kMost = 256;
  const int blocks = tiles(factors.rows(), Square::kRows) *
                     tiles(factors.columns(), Square::kColumns) * factors.c.groups;
  const int wanted =
      std::min({tiles(kEnough, std::max(1, blocks)), tiles(factors.inner(), kLeast), kMost});
  return std::max(1, wanted);
}

}  // namespace

// ---------------------------------------------------------------------------------- launchers

template <class T>
void forward(const ForwardFactors<T>& factors) {
  multiply<T>("conv2d", factors, 1, factors.inner());
}

template <class T>
void backward_data(const DataFactors<T>& factors) {
  multiply<T>("backward of conv2d", factors, 1, factors.inner());
}

template <class T>
void backward_weight(const WeightFactors<T>& factors, T* dweight) {
  const int64_t weights = int64_t{factors.c.groups} * factors.rows() * factors.columns();
  const int slices = slices_of(factors);
  const int depth = tiles(tiles(factors.inner(), slices), Square::kDepth) * Square::kDepth;
  Tensor partials = Tensor::empty({weights, slices}, dtype_of<T>(), Device::cuda);
  WeightFactors<T> sliced = factors;
  sliced.partial = partials.mutable_address<T>();
  sliced.slices = slices;
  multiply<T>("backward of conv2d", sliced, slices, depth);
  sum_partials("backward of conv2d", partials.address<T>(), weights, slices, ToScalar<T>{},
               dweight);
}

template void forward<float>(const ForwardFactors<float>&);
template void forward<double>(const ForwardFactors<double>&);
template void backward_data<float>(const DataFactors<float>&);
template void backward_data<double>(const DataFactors<double>&);
template void backward_weight<float>(const WeightFactors<float>&, float*);
template void backward_weight<double>(const WeightFactors<double>&, double*);

}  // namespace pade::cuda::implicit_gemm
