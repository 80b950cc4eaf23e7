#pragma once

#include <bit>

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

}  // namespace pade::cuda
