#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <pade/core/kernels/kernels.h>
#include <pade/core/kernels/loop_nest.h>
#include <pade/core/kernels/math/tensor.h>
#include <pade/core/parallel.h>

namespace pade::cpu {
namespace {

void fill(Tensor& tensor, double value) {
  dispatch(tensor.dtype(), [&]<class T>(T) {
    T* out = tensor.mutable_data<T>();
    const T filler = pade::convert<T>(value);
    parallel_for(tensor.size(), kElementBlock,
                 [&](int64_t begin, int64_t end) { std::fill(out + begin, out + end, filler); });
  });
}

void convert(const Tensor& from, Tensor& to) {
  dispatch(from.dtype(), [&]<class From>(From) {
    dispatch(to.dtype(), [&]<class To>(To) {
      const From* in = from.data<From>();
      To* out = to.mutable_data<To>();
      parallel_for(from.size(), kElementBlock, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) out[i] = pade::convert<To>(in[i]);
      });
    });
  });
}

void add_scaled(Tensor& to, const Tensor& other, double alpha) {
  dispatch_floating(to.dtype(), "add_", [&]<class T>(T) {
    const T* in = other.data<T>();
    T* out = to.mutable_data<T>();
    const T factor = static_cast<T>(alpha);
    parallel_for(to.size(), kElementBlock, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] += factor * in[i];
    });
  });
}

void scale(std::span<Tensor> tensors, double factor) {
  for (Tensor& tensor : tensors)
    dispatch_floating(tensor.dtype(), "scale", [&]<class T>(T) {
      T* out = tensor.mutable_data<T>();
      const T by = static_cast<T>(factor);
      parallel_for(tensor.size(), kElementBlock, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) out[i] *= by;
      });
    });
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
  dispatch(to.dtype(), [&]<class T>(T) {
    const T* source = from.data<T>() + from_offset;
    T* target = to.mutable_data<T>() + to_offset;
    if (transposition)
      copy_transposed(*transposition, source, target);
    else
      copy_runs(nest, source, target);
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

}  // namespace pade::cpu
