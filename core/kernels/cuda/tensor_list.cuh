#pragma once

#include <bit>
#include <type_traits>

#include <pade/core/tensor.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {

/// What one launch works on when it works on many tensors, passed to the kernel by value, as
/// `const __grid_constant__`. Each tensor is cut into pieces, of Item::kPacks packs for each thread
/// of a block, and the pieces of all are numbered in order, so that blocks can be handed out by
/// number. Item is a plain struct with the tensor's addresses, their `size` and whether they are
/// `packed`: aligned for packs, of Item::kSize. A launch takes 4 KB of arguments.
template <class Item>
struct TensorList {
  static constexpr int kCapacity = 3328 / static_cast<int>(sizeof(Item) + sizeof(int));
  static constexpr int kPiece = Item::kPacks * kThreads * Item::kSize;  // elements

  int count = 0;
  int pieces = 0;
  int first_piece[kCapacity];
  Item items[kCapacity];

  bool is_full() const { return count == kCapacity; }
  /// An item of at least one element.
  void add(const Item& item) {
    first_piece[count] = pieces;
    items[count++] = item;
    pieces += static_cast<int>(blocks_of(item.size, kPiece));
  }

  /// The item that a piece belongs to: the last one whose first piece is not behind it.
  __device__ __forceinline__ int item_of(int piece) const {
    int item = 0;
#pragma unroll
    for (int step = static_cast<int>(std::bit_floor(unsigned{kCapacity})); step > 0; step /= 2)
      if (item + step < count && first_piece[item + step] <= piece) item += step;
    return item;
  }
  /// Where in its item a piece begins.
  __device__ __forceinline__ int64_t begin_of(int piece, int item) const {
    return static_cast<int64_t>(piece - first_piece[item]) * kPiece;
  }
};

/// Calls f(count, item, i) for the packs of a piece, and for the elements that are left of it:
/// `count` is a compile-time number of elements, from number i of the item on.
template <class Item, class F>
__device__ __forceinline__ void for_piece(const TensorList<Item>& list, int piece, const F& f) {
  constexpr int kSize = Item::kSize;
  [[maybe_unused]] constexpr int kPacks = Item::kPacks;  // by nvcc only
  const int number = list.item_of(piece);
  const Item& item = list.items[number];
  const int64_t begin = list.begin_of(piece, number);
  const int size = static_cast<int>(min(item.size - begin, int64_t{list.kPiece}));
  const int packs = item.packed ? size / kSize : 0;
#pragma unroll kPacks
  for (int i = threadIdx.x; i < packs; i += kThreads)
    f(std::integral_constant<int, kSize>(), item, begin + i * kSize);
  for (int i = packs * kSize + threadIdx.x; i < size; i += kThreads)
    f(std::integral_constant<int, 1>(), item, begin + i);
}

/// A tensor, for which the factor says what its elements are multiplied with.
template <class T>
struct Factored {
  static constexpr int kSize = kPackSize<std::remove_const_t<T>>, kPacks = 4;
  T* values;
  double factor;
  int64_t size;
  bool packed;

  Factored() = default;
  Factored(T* values, double factor, int64_t size)
      : values(values), factor(factor), size(size), packed(is_pack_aligned(values)) {}
};

/// Calls use(list) with lists of the tensors, first of those of float32 and then of float64: each
/// as item_of(zero of its type, its number).
template <class Tensors, class ItemOf, class Use>
void for_each_list(const Tensors& tensors, const ItemOf& item_of, const Use& use) {
  auto use_those = [&]<class T>(T zero) {
    TensorList<decltype(item_of(zero, 0))> list;
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].dtype() != dtype_of<T>() || tensors[i].size() == 0) continue;
      if (list.is_full()) {
        use(list);
        list = {};
      }
      list.add(item_of(zero, i));
    }
    use(list);
  };
  use_those(float{});
  use_those(double{});
}

}  // namespace pade::cuda
