#pragma once

#include <algorithm>
#include <vector>

#include <pade/core/kernels/cpu/simd.h>
#include <pade/core/kernels/loop_nest.h>

/// The loops of every reduction on the CPU. They are cut into chunks by the problem's size alone,
/// and partial results are combined in order, so results do not depend on the thread count.
///
/// A reducer says what is computed:
///   Value, Partial                     of one element, and what is kept of many
///   Partial identity()                 of none
///   add_run(partial, x, first, count)  more elements for one result; `first` numbers them
///   add_row(partials, x, number, count)  one element, of that number, for each of `count` results
///   combine(partial, later)            elements with higher numbers
/// A source gives the elements, kReducedStrip at most at a time, stored in `buffer` or elsewhere:
///   const Value* source(offsets, count, buffer)
namespace pade::cpu {

inline constexpr int64_t kReducedStrip = 1024;  // elements; stays in L1
inline constexpr int64_t kChunk = kElementBlock;
inline constexpr int64_t kEnoughTasks = 128;
inline constexpr int64_t kRunLanes = 16;  // independent partial results of a run

/// Where the innermost axis is reduced: finish(i, partial) for each result i, each of which takes
/// all of `reduced`.
template <class Reducer, class Source, class Finish>
void reduce_along_runs(const LoopNest& kept, const LoopNest& reduced, const Source& source,
                       const Finish& finish) {
  using Partial = typename Reducer::Partial;
  const int64_t results = kept.size(), length = reduced.size();
  const int64_t chunks = std::max<int64_t>(1, blocks_of(length, kChunk));
  std::vector<Partial> partials(chunks > 1 ? results * chunks : 0);

  auto reduce_chunk = [&](const Offsets& start, int64_t chunk) {
    typename Reducer::Value buffer[kReducedStrip];
    Partial partial = Reducer::identity();
    for_each_run(reduced, chunk * kChunk, std::min(length, (chunk + 1) * kChunk), kReducedStrip,
                 [&](const Offsets& at, int64_t first, int64_t count) {
                   Reducer::add_run(partial, source(start + at, count, buffer), first, count);
                 });
    return partial;
  };
  const int64_t tasks_at_once = std::max<int64_t>(1, kChunk / std::max<int64_t>(1, length));
  parallel_for(results * chunks, tasks_at_once, [&](int64_t begin, int64_t end) {
    Position result(kept, kept.rank, begin / chunks);
    for (int64_t task = begin; task < end; ++task) {
      const Partial partial = reduce_chunk(result.offsets(), task % chunks);
      if (chunks == 1) {
        finish(task, partial);
        result.advance();
      } else {
        partials[task] = partial;  // the block's only task
      }
    }
  });
  if (chunks == 1) return;
  for (int64_t i = 0; i < results; ++i) {
    Partial total = partials[i * chunks];
    for (int64_t chunk = 1; chunk < chunks; ++chunk)
      Reducer::combine(total, partials[i * chunks + chunk]);
    finish(i, total);
  }
}

/// Where the innermost axis is kept: whole rows are combined, in strips of columns.
template <class Reducer, class Source, class Finish>
void reduce_rows(const LoopNest& kept, const LoopNest& reduced, const Source& source,
                 const Finish& finish) {
  using Partial = typename Reducer::Partial;
  const LoopNest::Axis& row = kept.inner();
  if (kept.size() == 0) return;
  const int64_t rows = reduced.size(), width = std::min(row.extent, kReducedStrip);
  const int64_t strips = blocks_of(row.extent, kReducedStrip);
  const int64_t tables = kept.size() / row.extent;
  const int64_t chunks_wanted = std::max<int64_t>(1, kEnoughTasks / (tables * strips));
  const int64_t chunk_rows = std::max(kChunk / width, blocks_of(rows, chunks_wanted));
  const int64_t chunks = std::max<int64_t>(1, blocks_of(rows, chunk_rows));
  std::vector<Partial> partials(chunks > 1 ? tables * strips * chunks * width : 0);

  // A task is a chunk of rows of one strip of one table.
  auto reduce_task = [&](int64_t task, Partial* sums) {
    typename Reducer::Value buffer[kReducedStrip];
    const int64_t first_row = task % chunks * chunk_rows;
    const int64_t column = task / chunks % strips * kReducedStrip;
    const int64_t count = std::min(width, row.extent - column);
    Offsets start = Position(kept, kept.rank - 1, task / chunks / strips).offsets();
    for (size_t k = 0; k < start.size(); ++k) start[k] += column * row.strides[k];
    std::fill_n(sums, count, Reducer::identity());
    Position at(reduced, reduced.rank, first_row);
    for (int64_t i = first_row; i < std::min(rows, first_row + chunk_rows); ++i, at.advance())
      Reducer::add_row(sums, source(start + at.offsets(), count, buffer), i, count);
  };
  auto finish_strip = [&](int64_t strip, const Partial* totals) {
    const int64_t column = strip % strips * kReducedStrip;
    const int64_t first = strip / strips * row.extent + column;
    for (int64_t j = 0; j < std::min(width, row.extent - column); ++j) finish(first + j, totals[j]);
  };
  const int64_t task_size = std::max<int64_t>(1, std::min(rows, chunk_rows)) * width;
  const int64_t tasks_at_once = std::max<int64_t>(1, kChunk / task_size);
  parallel_for(tables * strips * chunks, tasks_at_once, [&](int64_t begin, int64_t end) {
    Partial sums[kReducedStrip];
    for (int64_t task = begin; task < end; ++task) {
      reduce_task(task, chunks == 1 ? sums : &partials[task * width]);
      if (chunks == 1) finish_strip(task, sums);
    }
  });
  if (chunks == 1) return;
  parallel_blocks(tables * strips, [&](int64_t strip) {
    Partial* totals = &partials[strip * chunks * width];
    for (int64_t chunk = 1; chunk < chunks; ++chunk)
      for (int64_t j = 0; j < width; ++j) Reducer::combine(totals[j], totals[chunk * width + j]);
    finish_strip(strip, totals);
  });
}

/// Reduces what `source` gives over the axes along which operand number `target` does not move,
/// and calls finish(i, partial) for each element i of the target, on any thread.
template <class Reducer, class Source, class Finish>
void reduce(const LoopNest& nest, int target, const Source& source, const Finish& finish) {
  const SplitNest split = split_at_target(nest, target);
  if (split.inner_is_reduced)
    reduce_along_runs<Reducer>(split.kept, split.reduced, source, finish);
  else
    reduce_rows<Reducer>(split.kept, split.reduced, source, finish);
}

/// Sums in float64.
template <class T>
struct Sum {
  using Value = T;
  using Partial = double;

  static double identity() { return 0; }

  static void add_run(double& sum, const T* x, int64_t, int64_t count) {
    constexpr int64_t kLanes = kLaneCount<double>;
    int64_t i = 0;
    if (count >= kRunLanes) {
      Lanes<double> lanes[kRunLanes / kLanes] = {};
      for (; i + kRunLanes <= count; i += kRunLanes)
        for (int64_t k = 0; k < kRunLanes / kLanes; ++k)
          lanes[k] += load_widened(x + i + k * kLanes);
      for (int64_t k = 1; k < kRunLanes / kLanes; ++k) lanes[0] += lanes[k];
      sum += sum_lanes_in_pairs(lanes[0]);
    }
    for (; i < count; ++i) sum += x[i];
  }

  static void add_row(double* sums, const T* x, int64_t, int64_t count) {
    for (int64_t j = 0; j < count; ++j) sums[j] += x[j];
  }

  static void combine(double& sum, double later) { sum += later; }
};

/// The gradient of an operand that was stretched: what `source` gives (writing to its buffer),
/// summed where operand number `target` does not move.
template <class T, class Source>
void sum_to_target(const LoopNest& nest, int target, const Source& source, T* out) {
  if (split_at_target(nest, target).reduced.rank == 0)
    parallel_runs(nest, [&](const Offsets& at, int64_t first, int64_t count) {
      source(at, count, out + first);
    });
  else
    reduce<Sum<T>>(nest, target, source,
                   [=](int64_t i, double sum) { out[i] = static_cast<T>(sum); });
}

}  // namespace pade::cpu
