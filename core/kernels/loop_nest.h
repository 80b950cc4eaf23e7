#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include <pade/core/kernels/problems.h>
#include <pade/core/parallel.h>
#include <pade/core/shape.h>

/// The index arithmetic of every op that stretches, reduces or reorders axes: a loop nest, in which
/// some operands do not move along some axes. In c = a + b with a [C, 1, 1] those are stretched
/// axes of a; in a sum they are the reduced axes of the result, and the gradient of a stretched
/// operand is a sum over them.
namespace pade {

/// Of up to four operands, in elements.
using Offsets = std::array<int64_t, 4>;

inline Offsets operator+(const Offsets& a, const Offsets& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]};
}

/// Nested loops, outermost first, and how far each operand moves per step along each axis: by 0
/// where it is stretched.
struct LoopNest {
  struct Axis {
    int64_t extent = 1;
    Offsets strides{};
  };
  int rank = 0;
  std::array<Axis, Shape::kMaxRank> axes{};

  int64_t size() const;
  const Axis& inner() const { return axes[rank - 1]; }
  /// Adds an innermost loop. One of extent 1 is left out, and one that the loop around it
  /// continues, for every operand, becomes one with that.
  void append(const Axis& loop);
};

/// The extent of `operand` that stands over axis `axis` of a shape of rank `rank`, aligned at the
/// last axis.
int64_t aligned_extent(const Shape& operand, int rank, int axis);

/// Loops over the elements of `shape` in row-major order, with as few axes as do (at least one).
/// Operands are contiguous and can be stretched to `shape`; along the innermost axis each moves
/// by 0 or 1.
LoopNest loop_over(const Shape& shape, std::initializer_list<Shape> operands);

/// The operands of a copy's loop nest.
inline constexpr int kFrom = 0, kTo = 1;

/// The loops of a copy, as few as do (at least one).
LoopNest copy_loops(const std::vector<CopyAxis>& axes);

/// A matrix transposition at every position of the other axes: what is read is contiguous along
/// `rows`, what is written along `columns`.
struct Transposition {
  LoopNest others;
  LoopNest::Axis rows, columns;
};
/// Empty where what is read is contiguous along no axis, or along the innermost one as well.
std::optional<Transposition> as_transposition(const LoopNest& nest);

/// A nest cut in two: axes along which the operand number `target` moves, and axes along which it
/// does not, so that all their elements end in the same element of the target.
struct SplitNest {
  LoopNest kept, reduced;
  bool inner_is_reduced;
};
SplitNest split_at_target(const LoopNest& nest, int target);

/// Where the operands are at one step of the `rank` outermost loops of a nest.
class Position {
 public:
  Position(const LoopNest& nest, int rank, int64_t step) : nest_(nest), rank_(rank) {
    for (int axis = rank - 1; axis >= 0 && step > 0; --axis) {
      const LoopNest::Axis& loop = nest.axes[axis];
      index_[axis] = step % loop.extent;
      step /= loop.extent;
      move(loop.strides, index_[axis]);
    }
  }

  const Offsets& offsets() const { return offsets_; }

  void advance() {
    for (int axis = rank_ - 1; axis >= 0; --axis) {
      const LoopNest::Axis& loop = nest_.axes[axis];
      move(loop.strides, 1);
      if (++index_[axis] < loop.extent) return;
      move(loop.strides, -loop.extent);
      index_[axis] = 0;
    }
  }

 private:
  void move(const Offsets& strides, int64_t steps) {
    for (size_t k = 0; k < strides.size(); ++k) offsets_[k] += strides[k] * steps;
  }

  const LoopNest& nest_;
  int rank_;
  std::array<int64_t, Shape::kMaxRank> index_{};
  Offsets offsets_{};
};

/// Cuts the elements [begin, end) of a nest (counted in row-major order) into runs along its
/// innermost axis, none above `longest`, and calls f(offsets, first, count) for each: where the
/// operands are at the run's first element, that element's number, and the length.
template <class F>
void for_each_run(const LoopNest& nest, int64_t begin, int64_t end, int64_t longest, F&& f) {
  if (begin >= end) return;
  const LoopNest::Axis& inner = nest.inner();
  Position row(nest, nest.rank - 1, begin / inner.extent);
  int64_t column = begin % inner.extent;
  while (begin < end) {
    const int64_t count = std::min({end - begin, inner.extent - column, longest});
    Offsets at = row.offsets();
    for (size_t k = 0; k < at.size(); ++k) at[k] += column * inner.strides[k];
    f(at, begin, count);
    begin += count;
    column += count;
    if (column < inner.extent) continue;
    column = 0;
    row.advance();
  }
}

/// for_each_run over the whole nest, in parallel.
template <class F>
void parallel_runs(const LoopNest& nest, F&& f) {
  parallel_for(nest.size(), kElementBlock, [&](int64_t begin, int64_t end) {
    for_each_run(nest, begin, end, kElementBlock, f);
  });
}

/// Calls use(element) with a function that gives element i of an operand's run: one and the same
/// where the stride is 0, the i-th where it is 1. This lets the compiler see which it is.
template <class T, class F>
void with_run(const T* first, int64_t stride, F&& use) {
  if (stride == 0)
    use([value = *first](int64_t) { return value; });
  else
    use([first](int64_t i) { return first[i]; });
}

}  // namespace pade
