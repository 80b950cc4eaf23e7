#include <span>
#include <type_traits>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/cuda/reduce.cuh>
#include <pade/core/kernels/cuda/tensor_list.cuh>

namespace pade::cuda {
namespace {

template <class T>
struct Values {
  static constexpr int64_t kPiece =
      4 * kThreads * kPackSize<std::remove_const_t<T>>;  // four packs for each thread of a block
  T* values;
  double factor;
  int64_t size;
  bool packed;
};

/// Calls on_pack(address, factor) for the packs of a piece, and on_element(address, factor) for
/// what is left of it.
template <class T, class OnPack, class OnElement>
__device__ __forceinline__ void for_piece(const TensorList<Values<T>>& list, int piece,
                                          const OnPack& on_pack, const OnElement& on_element) {
  constexpr int kSize = kPackSize<std::remove_const_t<T>>;
  const int number = list.item_of(piece);
  const Values<T>& item = list.items[number];
  const int64_t begin = list.begin_of(piece, number);
  T* values = item.values + begin;
  const int64_t left = item.size - begin;
  const int size = static_cast<int>(left < Values<T>::kPiece ? left : Values<T>::kPiece);
  const int packs = item.packed ? size / kSize : 0;
#pragma unroll 4
  for (int i = threadIdx.x; i < packs; i += kThreads) on_pack(values + i * kSize, item.factor);
  for (int i = packs * kSize + threadIdx.x; i < size; i += kThreads)
    on_element(values + i, item.factor);
}

/// partials[block] = Σ (factor · x)² over the pieces that this block takes.
template <class T>
__global__ void __launch_bounds__(kThreads)
    sum_of_squares_kernel(const __grid_constant__ TensorList<Values<const T>> list,
                          double* partials) {
  double sum = 0;
  const auto add = [&sum](double value, double factor) {
    value *= factor;
    sum += value * value;
  };
  for (int piece = blockIdx.x; piece < list.pieces; piece += gridDim.x)
    for_piece(
        list, piece,
        [&](const T* from, double factor) {
          const Pack<T> pack = load_pack(from);
#pragma unroll
          for (T value : pack.values) add(value, factor);
        },
        [&](const T* from, double factor) { add(*from, factor); });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

/// One block per piece.
template <class T>
__global__ void __launch_bounds__(kThreads)
    scale_kernel(const __grid_constant__ TensorList<Values<T>> list) {
  for_piece(
      list, blockIdx.x,
      [&](T* at, double factor) {
        Pack<T> pack = load_pack(at);
#pragma unroll
        for (T& value : pack.values) value *= static_cast<T>(factor);
        store_pack(at, pack);
      },
      [&](T* at, double factor) { *at *= static_cast<T>(factor); });
}

/// The tensors of type T, each as values_of(its number), in as many lists as they need.
template <class T, class TensorSpan, class ValuesOf>
std::vector<TensorList<Values<T>>> lists_of(TensorSpan tensors, const ValuesOf& values_of) {
  std::vector<TensorList<Values<T>>> lists;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].dtype() != dtype_of<std::remove_const_t<T>>() || tensors[i].size() == 0)
      continue;
    if (lists.empty() || lists.back().is_full()) lists.emplace_back();
    lists.back().add(values_of(i));
  }
  return lists;
}

unsigned sum_blocks(int pieces) { return blocks_for(pieces, 1); }

template <class T>
auto lists_to_read(std::span<const Tensor> tensors, std::span<const double> factors) {
  return lists_of<const T>(tensors, [&](size_t i) -> Values<const T> {
    const T* values = tensors[i].address<T>();
    return {values, factors[i], tensors[i].size(), is_pack_aligned(values)};
  });
}

// ---------------------------------------------------------------------------------- launchers

void sum_of_squares(std::span<const Tensor> tensors, std::span<const double> factors, double& sum) {
  const auto floats = lists_to_read<float>(tensors, factors);
  const auto doubles = lists_to_read<double>(tensors, factors);
  int64_t blocks = 0;
  for (const auto& list : floats) blocks += sum_blocks(list.pieces);
  for (const auto& list : doubles) blocks += sum_blocks(list.pieces);
  Tensor partials = Tensor::empty({blocks}, DType::float64, Device::cuda);
  Tensor total = Tensor::empty({}, DType::float64, Device::cuda);
  double* to = partials.mutable_address<double>();
  auto launch_all = [&]<class T>(const std::vector<TensorList<Values<const T>>>& lists) {
    for (const auto& list : lists) {
      launch("grad_norm", {sum_blocks(list.pieces)}, sum_of_squares_kernel<T>, list, to);
      to += sum_blocks(list.pieces);
    }
  };
  launch_all(floats);
  launch_all(doubles);
  sum_partials("grad_norm", partials.address<double>(), 1, blocks, ToScalar<double>{},
               total.mutable_address<double>());
  sum = total.item();
}

void scale(std::span<Tensor> tensors, double factor) {
  auto launch_all = [&](auto zero) {
    using T = decltype(zero);
    const auto lists = lists_of<T>(tensors, [&](size_t i) -> Values<T> {
      T* values = tensors[i].mutable_address<T>();
      return {values, factor, tensors[i].size(), is_pack_aligned(values)};
    });
    for (const auto& list : lists)
      launch("scale", {static_cast<unsigned>(list.pieces)}, scale_kernel<T>, list);
  };
  launch_all(float{});
  launch_all(double{});
}

}  // namespace

void add_clip(Kernels& kernels) {
  kernels.sum_of_squares = sum_of_squares;
  kernels.scale = scale;
}

}  // namespace pade::cuda
