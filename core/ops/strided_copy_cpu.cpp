#include <algorithm>
#include <cstring>

#include <pade/core/ops/broadcast.h>
#include <pade/core/ops/strided_copy_kernels.h>

namespace pade::cpu {
namespace {

constexpr int kFrom = 0, kTo = 1;  // operands of the loop nest

/// Without axes of extent 1, and with one axis for neighbours that are walked as one.
LoopNest merged(const std::vector<CopyAxis>& axes) {
  LoopNest nest;
  for (const CopyAxis& axis : axes) {
    if (axis.extent == 1) continue;
    const LoopNest::Axis loop{axis.extent, {axis.from_stride, axis.to_stride}};
    const bool continues = nest.rank > 0 &&
                           nest.inner().strides[kFrom] == axis.extent * axis.from_stride &&
                           nest.inner().strides[kTo] == axis.extent * axis.to_stride;
    if (continues)
      nest.axes[nest.rank - 1] = {nest.inner().extent * axis.extent, loop.strides};
    else
      nest.axes[nest.rank++] = loop;
  }
  if (nest.rank == 0) nest.axes[nest.rank++] = {1, {1, 1}};
  return nest;
}

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

/// A matrix transposition at every position of the other axes: what is read is contiguous along
/// `rows`, what is written along `columns`. Tiles are one cache line wide on either side, so that
/// each line is read and written once, whatever the strides.
template <class T>
void copy_transposed(const LoopNest& others, const LoopNest::Axis& rows,
                     const LoopNest::Axis& columns, const T* from, T* to) {
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

template <class T>
void copy(LoopNest nest, const T* from, T* to) {
  const LoopNest::Axis inner = nest.inner();
  const auto end = nest.axes.begin() + nest.rank;
  const auto rows = std::find_if(
      nest.axes.begin(), end, [](const LoopNest::Axis& axis) { return axis.strides[kFrom] == 1; });
  if (inner.strides[kTo] != 1 || inner.strides[kFrom] == 1 || rows == end)
    return copy_runs(nest, from, to);
  const LoopNest::Axis contiguous_source = *rows;
  std::copy(rows + 1, end - 1, rows);
  nest.rank -= 2;
  copy_transposed(nest, contiguous_source, inner, from, to);
}

}  // namespace

void strided_copy(const std::vector<CopyAxis>& axes, const Tensor& from, int64_t from_offset,
                  Tensor& to, int64_t to_offset) {
  const LoopNest nest = merged(axes);
  dispatch(to.dtype(), [&](auto zero) {
    using T = decltype(zero);
    copy(nest, from.data<T>() + from_offset, to.mutable_data<T>() + to_offset);
  });
}

}  // namespace pade::cpu
