#include <span>
#include <type_traits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce.cuh>
#include <pade/core/kernels/cuda/tensor_list.cuh>

namespace pade::cuda {
namespace {

template <class T>
struct Values {
  static constexpr int kSize = kPackSize<std::remove_const_t<T>>, kPacks = 4;
  T* values;
  double factor;
  int64_t size;
  bool packed;
};

/// Calls f(count, item, i) for the packs of a piece, and for the elements that are left of it:
/// `count` is a compile-time number of elements, from number i of the item on.
template <class T, class F>
__device__ __forceinline__ void for_piece(const TensorList<Values<T>>& list, int piece,
                                          const F& f) {
  constexpr int kSize = Values<T>::kSize;
  const int number = list.item_of(piece);
  const Values<T>& item = list.items[number];
  const int64_t begin = list.begin_of(piece, number);
  const int size = static_cast<int>(min(item.size - begin, int64_t{list.kPiece}));
  const int packs = item.packed ? size / kSize : 0;
#pragma unroll 4
  for (int i = threadIdx.x; i < packs; i += kThreads)
    f(std::integral_constant<int, kSize>(), item, begin + i * kSize);
  for (int i = packs * kSize + threadIdx.x; i < size; i += kThreads)
    f(std::integral_constant<int, 1>(), item, begin + i);
}

/// partials[block] = Σ (factor · x)² over the pieces that this block takes.
template <class T>
__global__ void __launch_bounds__(kThreads)
    sum_of_squares_kernel(const __grid_constant__ TensorList<Values<const T>> list,
                          double* partials) {
  double sum = 0;
  for (int piece = blockIdx.x; piece < list.pieces; piece += gridDim.x)
    for_piece(list, piece, [&](auto count, const Values<const T>& item, int64_t i) {
      const auto pack = load_pack<count.value>(item.values + i);
#pragma unroll
      for (double value : pack.values) {
        value *= item.factor;
        sum += value * value;
      }
    });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

/// One block per piece.
template <class T>
__global__ void __launch_bounds__(kThreads)
    scale_kernel(const __grid_constant__ TensorList<Values<T>> list) {
  for_piece(list, blockIdx.x, [&](auto count, const Values<T>& item, int64_t i) {
    auto pack = load_pack<count.value>(item.values + i);
#pragma unroll
    for (T& value : pack.values) value *= static_cast<T>(item.factor);
    store_pack(item.values + i, pack);
  });
}

/// Calls use(list) with lists of the tensors of type T, each as values_of(its number).
template <class T, class Tensors, class ValuesOf, class Use>
void for_each_list(Tensors tensors, const ValuesOf& values_of, const Use& use) {
  TensorList<Values<T>> list;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].dtype() != dtype_of<std::remove_const_t<T>>() || tensors[i].size() == 0)
      continue;
    if (list.is_full()) {
      use(list);
      list = {};
    }
    list.add(values_of(i));
  }
  use(list);
}

// ---------------------------------------------------------------------------------- launchers

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  const int64_t lists = blocks_of(tensors.size(), TensorList<Values<const float>>::kCapacity) + 1;
  Tensor partials = partial_sums(lists, kMaxBlocks), total = partial_sums(1, 1);
  double* const begin = partials.mutable_address<double>();
  double* to = begin;
  auto sum_all = [&](auto zero) {
    using T = decltype(zero);
    auto values_of = [&](size_t i) -> Values<const T> {
      const T* values = tensors[i].address<T>();
      return {values, factors[i], tensors[i].size(), is_pack_aligned(values)};
    };
    for_each_list<const T>(tensors, values_of, [&](const TensorList<Values<const T>>& list) {
      const unsigned blocks = blocks_for(list.pieces, 1);
      launch("grad_norm", blocks, sum_of_squares_kernel<T>, list, to);
      to += blocks;
    });
  };
  sum_all(float{});
  sum_all(double{});
  sum_partials("grad_norm", begin, 1, to - begin,
               StoreSum<double>{total.mutable_address<double>()});
  sum = total.item();
}

void scale(std::span<Tensor> tensors, double factor) {
  auto scale_those = [&](auto zero) {
    using T = decltype(zero);
    auto values_of = [&](size_t i) -> Values<T> {
      T* values = tensors[i].mutable_address<T>();
      return {values, factor, tensors[i].size(), is_pack_aligned(values)};
    };
    for_each_list<T>(tensors, values_of, [&](const TensorList<Values<T>>& list) {
      launch("scale", static_cast<unsigned>(list.pieces), scale_kernel<T>, list);
    });
  };
  scale_those(float{});
  scale_those(double{});
}

}  // namespace

void add_clip(Kernels& kernels) {
  kernels.sum_of_squares = sum_of_squares;
  kernels.scale = scale;
}

}  // namespace pade::cuda
