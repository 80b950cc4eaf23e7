#include <algorithm>
#include <cstring>
#include <optional>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>

namespace pade::cpu {
namespace {

/// Along the innermost axis: whole runs where both sides are contiguous there.
template <class T>
void copy_runs(const LoopNest& nest, const T* from, T* to) {
  const int64_t from_stride = nest.inner().strides[kFrom], to_stride = nest.inner().strides[kTo];
  const bool contiguous = from_stride == 1 && to_stride == 1;
  parallel_runs(nest, [=](const Offsets& at, int64_t, int64_t count) {
    const T* in = from + at[kFrom];
    T* out = to + at[kTo];
    if (contiguous)
      std::memcpy(out, in, count * sizeof(T));
    else
      for (int64_t i = 0; i < count; ++i) out[i * to_stride] = in[i * from_stride];
  });
}

/// In tiles that are one cache line wide on either side, so that each line is read and written
/// once, whatever the strides.
template <class T>
void copy_transposed(const Transposition& transposition, const T* from, T* to) {
  const LoopNest& others = transposition.others;
  const LoopNest::Axis &rows = transposition.rows, &columns = transposition.columns;
  constexpr int64_t kTile = 64 / sizeof(T);
  const int64_t from_stride = columns.strides[kFrom], to_stride = rows.strides[kTo];
  const int64_t tiles_across = blocks_of(columns.extent, kTile);
  const int64_t tiles = blocks_of(rows.extent, kTile) * tiles_across;
  auto copy_tile = [=](const T* in, int64_t height, int64_t width, T* out) {
    T tile[kTile][kTile];
    for (int64_t column = 0; column < width; ++column)
      for (int64_t row = 0; row < height; ++row) tile[row][column] = in[column * from_stride + row];
    for (int64_t row = 0; row < height; ++row)
      std::memcpy(out + row * to_stride, tile[row], width * sizeof(T));
  };
  parallel_for(
      others.size() * tiles, kElementBlock / (kTile * kTile), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const Offsets at = Position(others, others.rank, i / tiles).offsets();
          const int64_t row = i % tiles / tiles_across * kTile;
          const int64_t column = i % tiles_across * kTile;
          copy_tile(from + at[kFrom] + row + column * from_stride,
                    std::min(kTile, rows.extent - row), std::min(kTile, columns.extent - column),
                    to + at[kTo] + row * to_stride + column);
        }
      });
}

void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset) {
  const LoopNest nest = copy_loops(axes);
  const std::optional<Transposition> transposition = as_transposition(nest);
  dispatch(to.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* source = from.data<T>() + from_offset;
    T* target = to.mutable_data<T>() + to_offset;
    if (transposition)
      copy_transposed(*transposition, source, target);
    else
      copy_runs(nest, source, target);
  });
}

}  // namespace

void add_strided_copy(Kernels& kernels) { kernels.strided_copy = strided_copy; }

}  // namespace pade::cpu
