#include <algorithm>
#include <optional>
#include <span>
#include <type_traits>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/kernels/math/index_lookup.h>
#include <pade/core/kernels/math/tensor.h>
#include <pade/core/kernels/cuda/elementwise.cuh>
#include <pade/core/kernels/cuda/tensor_list.cuh>

namespace pade::cuda {
namespace {

template <class T>
struct Constant {
  T value;
  PADE_HD T operator()() const { return value; }
};

template <class T>
struct AddScaled {
  T factor;
  PADE_HD T operator()(T to, T other) const { return to + factor * other; }
};

template <class From, class To>
__global__ void __launch_bounds__(kThreads) convert_kernel(int64_t n, const From* from, To* to) {
  for (int64_t i = first_index(); i < n; i += index_step()) to[i] = pade::convert<To>(from[i]);
}

/// One block per piece.
template <class T>
__global__ void __launch_bounds__(kThreads)
    scale_kernel(const __grid_constant__ TensorList<Factored<T>> list) {
  for_piece(list, blockIdx.x, [&](auto count, const Factored<T>& item, int64_t i) {
    auto pack = load_pack<count.value>(item.values + i);
#pragma unroll
    for (T& value : pack.values) value *= static_cast<T>(item.factor);
    store_pack(item.values + i, pack);
  });
}

/// What elements are copied as: their dtype does not matter.
template <class T>
using WordOf = std::conditional_t<sizeof(T) == 8, uint64_t,
                                  std::conditional_t<sizeof(T) == 4, uint32_t, uint8_t>>;
using Word16 = Pack<uint32_t>;

template <class Word>
__global__ void __launch_bounds__(kThreads)
    strided_copy_kernel(LookupNest<2> nest, const Word* from, Word* to) {
  struct Loaded {
    Word word;
    uint32_t target;
  };
  load_ahead(
      static_cast<uint32_t>(first_index()), nest.size(), static_cast<uint32_t>(index_step()),
      [&](uint32_t i) {
        const auto place = nest.at(i);
        return Loaded{load(from + place.of[kFrom]), place.of[kTo]};
      },
      [&](uint32_t, const Loaded& loaded) { store(to + loaded.target, loaded.word); });
}

constexpr int kTileElements = 1024;
constexpr int kRow = 2, kColumn = 3;  // operands of the nest of tiles, beside kFrom and kTo

/// A tile has 2^row_bits rows and 2^column_bits columns, kTileElements in all: more of the one
/// where the matrix has few of the other, so that most threads have something to do.
struct TileShape {
  int row_bits, column_bits;
  int pitch;                       ///< of rows in shared memory: a warp meets different banks
  uint32_t rows, columns;          ///< of the matrix
  int64_t from_stride, to_stride;  ///< from column to column, from row to row
};

/// Both sides are walked along their contiguous axis: the read one along rows, the written one
/// along columns.
template <class Word>
__global__ void __launch_bounds__(kThreads)
    transpose_kernel(LookupNest<4> tiles, TileShape shape, uint32_t first_row,
                     uint32_t first_column, const Word* from, Word* to) {
  constexpr int kPerThread = kTileElements / kThreads;
  PADE_SHARED(Word, buffer, [kTileElements + kTileElements / 2]);
  const uint32_t row_mask = (1u << shape.row_bits) - 1;
  const uint32_t column_mask = (1u << shape.column_bits) - 1;
  for (uint32_t i = blockIdx.x; i < tiles.size(); i += gridDim.x) {
    const auto tile = tiles.at(i);
    const uint32_t rows = shape.rows - (first_row + tile.of[kRow]);  // from the tile's first on
    const uint32_t columns = shape.columns - (first_column + tile.of[kColumn]);
#pragma unroll
    for (uint32_t k = 0; k < kPerThread; ++k) {
      const uint32_t element = threadIdx.x + k * kThreads;
      const uint32_t row = element & row_mask, column = element >> shape.row_bits;
      if (row < rows && column < columns)
        buffer[row * shape.pitch + column] =
            from[tile.of[kFrom] + column * shape.from_stride + row];
    }
    __syncthreads();
#pragma unroll
    for (uint32_t k = 0; k < kPerThread; ++k) {
      const uint32_t element = threadIdx.x + k * kThreads;
      const uint32_t column = element & column_mask, row = element >> shape.column_bits;
      if (row < rows && column < columns)
        to[tile.of[kTo] + row * shape.to_stride + column] = buffer[row * shape.pitch + column];
    }
    __syncthreads();  // before the next tile takes this one's place
  }
}

template <class Word>
void copy_words(const LoopNest& nest, const void* from, void* to) {
  for (const auto& [part, at, first] : parts_of(nest))
    launch("copy", blocks_for(part.size()), strided_copy_kernel<Word>, LookupNest<2>(part),
           static_cast<const Word*>(from) + at[kFrom], static_cast<Word*>(to) + at[kTo]);
}

/// Copies larger words, where they divide everything; otherwise nothing, and returns false.
template <class Large, class Word>
bool copy_as(LoopNest nest, const Word* from, Word* to) {
  constexpr int64_t kCount = std::max<int64_t>(1, sizeof(Large) / sizeof(Word));
  LoopNest::Axis& inner = nest.axes[nest.rank - 1];
  bool fits = kCount > 1 && inner.strides[kFrom] == 1 && inner.strides[kTo] == 1 &&
              inner.extent % kCount == 0 && is_aligned(from, sizeof(Large)) &&
              is_aligned(to, sizeof(Large));
  inner.extent /= kCount;
  for (int axis = 0; axis < nest.rank - 1; ++axis)
    for (const int operand : {kFrom, kTo}) {
      int64_t& stride = nest.axes[axis].strides[operand];
      fits = fits && stride % kCount == 0;
      stride /= kCount;
    }
  if (fits) copy_words<Large>(nest, from, to);
  return fits;
}

TileShape shape_of_tiles(const LoopNest::Axis& rows, const LoopNest::Axis& columns) {
  constexpr int kBits = 10, kBitsOfSquare = kBits / 2;
  static_assert(kTileElements == 1 << kBits && kWarpSize == 1 << kBitsOfSquare);
  auto bits_for = [](int64_t extent) {
    int bits = 0;
    while (bits < kBitsOfSquare && (int64_t{1} << bits) < extent) ++bits;
    return bits;
  };
  int row_bits = bits_for(rows.extent), column_bits = bits_for(columns.extent);
  if (column_bits < kBitsOfSquare)
    row_bits = kBits - column_bits;
  else
    column_bits = kBits - row_bits;
  const int pitch = (1 << column_bits) + std::max(1, kWarpSize >> row_bits);
  return {row_bits,
          column_bits,
          pitch,
          static_cast<uint32_t>(rows.extent),
          static_cast<uint32_t>(columns.extent),
          columns.strides[kFrom],
          rows.strides[kTo]};
}

template <class Word>
void copy_transposed(const Transposition& transposition, const Word* from, Word* to) {
  const auto& [others, rows, columns] = transposition;
  const TileShape shape = shape_of_tiles(rows, columns);
  const int64_t height = int64_t{1} << shape.row_bits, width = int64_t{1} << shape.column_bits;
  LoopNest tiles = others;
  tiles.axes[tiles.rank++] = {blocks_of(rows.extent, height),
                              {height, height * shape.to_stride, height, 0}};
  tiles.axes[tiles.rank++] = {blocks_of(columns.extent, width),
                              {width * shape.from_stride, width, 0, width}};
  for (const auto& [part, at, first] : parts_of(tiles))
    launch("copy", blocks_for(part.size(), 1), transpose_kernel<Word>, LookupNest<4>(part), shape,
           static_cast<uint32_t>(at[kRow]), static_cast<uint32_t>(at[kColumn]), from + at[kFrom],
           to + at[kTo]);
}

/// Smaller matrices would leave threads idle, and lie in few cache lines anyway.
constexpr int64_t kEnoughForTile = kThreads;

// ---------------------------------------------------------------------------------- launchers

void fill(Tensor& tensor, double value) {
  dispatch(tensor.dtype(), [&]<class T>(T) {
    elementwise("fill_", Constant<T>{pade::convert<T>(value)}, tensor.size(),
                tensor.mutable_address<T>());
  });
}

void convert(const Tensor& from, Tensor& to) {
  dispatch(from.dtype(), [&]<class From>(From) {
    dispatch(to.dtype(), [&]<class To>(To) {
      if constexpr (!std::is_same_v<From, To>)  // that would be a copy
        launch("to", blocks_for(from.size()), convert_kernel<From, To>, from.size(),
               from.address<From>(), to.mutable_address<To>());
    });
  });
}

void add_scaled(Tensor& to, const Tensor& other, double alpha) {
  dispatch_floating(to.dtype(), "add_", [&]<class T>(T) {
    T* out = to.mutable_address<T>();
    const T* in = other.address<T>();
    elementwise("add_", AddScaled<T>{static_cast<T>(alpha)}, to.size(), out,
                static_cast<const T*>(out), in);
  });
}

void scale(std::span<Tensor> tensors, double factor) {
  auto item_of = [&]<class T>(T, size_t i) {
    return Factored<T>(tensors[i].mutable_address<T>(), factor, tensors[i].size());
  };
  for_each_list(tensors, item_of, [&]<class T>(const TensorList<Factored<T>>& list) {
    launch("scale", static_cast<unsigned>(list.pieces), scale_kernel<T>, list);
  });
}

void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset) {
  const LoopNest nest = copy_loops(axes);
  const std::optional<Transposition> matrices = as_transposition(nest);
  const bool in_tiles =
      matrices && matrices->rows.extent * matrices->columns.extent >= kEnoughForTile;
  dispatch(to.dtype(), [&]<class T>(T) {
    using Word = WordOf<T>;
    const Word* source = reinterpret_cast<const Word*>(from.address<T>()) + from_offset;
    Word* target = reinterpret_cast<Word*>(to.mutable_address<T>()) + to_offset;
    if (in_tiles) return copy_transposed(*matrices, source, target);
    if (copy_as<Word16>(nest, source, target) || copy_as<uint64_t>(nest, source, target) ||
        copy_as<uint32_t>(nest, source, target))
      return;
    copy_words<Word>(nest, source, target);
  });
}

}  // namespace

void add_tensor(Kernels& kernels) {
  kernels.fill = fill;
  kernels.convert = convert;
  kernels.add_scaled = add_scaled;
  kernels.scale = scale;
  kernels.strided_copy = strided_copy;
}

}  // namespace pade::cuda
