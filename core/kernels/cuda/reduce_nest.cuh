#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <pade/core/tensor.h>
#include <pade/core/kernels/cuda/broadcast.cuh>
#include <pade/core/kernels/cuda/reduce.cuh>

/// The reductions of a loop nest: over some of its axes, in any position.
///
/// A reducer says what is computed:
///   Partial                            what is kept of many elements, a plain struct
///   Partial identity()                 of none
///   add(partial, value, number)        one more element of a result; `number` is its place there
///   Partial operator()(a, b)           of both, in any order
namespace pade::cuda {

/// How the threads of a block share results, of which it has `columns`, and `lanes` threads each.
struct ReduceLayout {
  int columns = 1, lanes = kThreads;
  /// The lanes of a result are neighbours in one warp: for results whose elements lie side by side.
  /// Otherwise the columns are neighbours.
  bool lanes_side_by_side = false;
  bool packed = false;     // elements are read in chunks along the innermost axis
  uint32_t chunk = 1;      // elements of a result that a block reduces
  int64_t chunks = 1;      // as many as it takes for all elements …
  int64_t all_chunks = 1;  // … and those of other parts
};

inline int power_of_two_above(int64_t n, int limit) {
  int power = 1;
  while (power < n && power < limit) power *= 2;
  return power;
}

/// By the problem's size alone. `width` is the number of elements in a chunk for packed reading.
inline ReduceLayout layout_for(int64_t results, int64_t length, bool inner_is_reduced,
                               bool can_pack, int width) {
  constexpr int64_t kLongForWarp = 1024;      // elements
  constexpr int64_t kElementsPerThread = 16;  // at least, before a result is cut in chunks
  ReduceLayout layout;
  layout.packed = can_pack;
  layout.lanes_side_by_side = inner_is_reduced && length <= kLongForWarp;
  if (layout.lanes_side_by_side)
    layout.lanes = power_of_two_above(blocks_of(length, width), kWarpSize);
  else if (!inner_is_reduced)
    layout.lanes = power_of_two_above(length, kThreads / power_of_two_above(results, kWarpSize));
  layout.columns = kThreads / layout.lanes;
  const int64_t strips = blocks_of(results, layout.columns);
  const int64_t least = layout.lanes * kElementsPerThread;
  const int64_t wanted = std::max<int64_t>(1, kMaxBlocks / std::max<int64_t>(1, strips));
  const int64_t chunks = std::min(wanted, std::max<int64_t>(1, blocks_of(length, least)));
  const int64_t packs = blocks_of(length, width * chunks);
  layout.chunk = static_cast<uint32_t>(std::max<int64_t>(1, packs) * width);
  layout.chunks = std::max<int64_t>(1, blocks_of(length, layout.chunk));
  layout.all_chunks = layout.chunks;
  return layout;
}

/// Adds the elements [begin, end) of one result that are this lane's: every lanes-th.
template <class Reducer, class F, class Nest, class... In>
__device__ __forceinline__ void add_elements(typename Reducer::Partial& partial, const F& f,
                                             const Nest& reduced, const ReduceLayout& layout,
                                             uint32_t begin, uint32_t end, uint32_t first_number,
                                             const In*... in) {
  using Value = decltype(f(*in...));
  constexpr uint32_t kCount = kChunk<In...>;
  if (layout.packed) {
    for (uint32_t i = begin; i < end; i += layout.lanes * kCount) {
      const Pack<Value, kCount> chunk = apply_chunk<kCount>(f, reduced, reduced.at(i), in...);
#pragma unroll
      for (uint32_t k = 0; k < kCount; ++k)
        Reducer::add(partial, chunk.values[k], first_number + i + k);
    }
    return;
  }
  load_ahead(
      begin, end, layout.lanes, [&](uint32_t i) { return apply_at(f, reduced.at(i), in...); },
      [&](uint32_t i, const Value& value) { Reducer::add(partial, value, first_number + i); });
}

/// Of all lanes of a result, for its first one.
template <class Reducer>
__device__ __forceinline__ typename Reducer::Partial combine_lanes(
    typename Reducer::Partial partial, const ReduceLayout& layout) {
  PADE_SHARED(typename Reducer::Partial, of_thread, [kThreads]);
  if (layout.lanes_side_by_side) {
    for (int distance = layout.lanes / 2; distance > 0; distance /= 2)
      partial = Reducer{}(partial, shuffle_down(partial, distance));
    return partial;
  }
  for (int distance = kWarpSize / 2; distance >= layout.columns; distance /= 2)
    partial = Reducer{}(partial, shuffle_down(partial, distance));
  const int stride = max(layout.columns, kWarpSize), thread = threadIdx.x;
  if (stride == kThreads) return partial;
  __syncthreads();  // an earlier call's values have been read
  of_thread[thread] = partial;
  __syncthreads();
  if (thread < layout.columns)
    for (int other = thread + stride; other < kThreads; other += stride)
      partial = Reducer{}(partial, of_thread[other]);
  return partial;
}

/// Blocks along x share the results, those along y are chunks of them. What is left to combine
/// goes to `partials`, if there is more than one chunk.
template <class Reducer, class F, class Finish, class... In>
__global__ void __launch_bounds__(kThreads)
    reduce_kernel(F f, LookupNest<sizeof...(In)> kept, LookupNest<sizeof...(In)> reduced,
                  ReduceLayout layout, int64_t first_result, uint32_t first_number,
                  typename Reducer::Partial* partials, Finish finish, const In*... in) {
  using Partial = typename Reducer::Partial;
  const uint32_t lanes = layout.lanes, columns = layout.columns, thread = threadIdx.x;
  const uint32_t column = layout.lanes_side_by_side ? thread / lanes : thread % columns;
  const uint32_t lane = layout.lanes_side_by_side ? thread % lanes : thread / columns;
  const uint32_t chunk = blockIdx.y, begin = chunk * layout.chunk;
  const uint32_t end = min(reduced.size(), begin + layout.chunk);
  const uint32_t first = begin + lane * (layout.packed ? kChunk<In...> : 1);
  const uint32_t results = kept.size();
  for (uint32_t strip = blockIdx.x * columns; strip < results; strip += gridDim.x * columns) {
    const uint32_t i = strip + column;
    Partial partial = Reducer::identity();
    if (i < results) {
      const auto place = kept.at(i);
      [&]<size_t... k>(std::index_sequence<k...>) {
        add_elements<Reducer>(partial, f, reduced, layout, first, end, first_number,
                              (in + place.of[k])...);
      }
      (std::index_sequence_for<In...>());
    }
    partial = combine_lanes<Reducer>(partial, layout);
    if (lane > 0 || i >= results) continue;
    if (layout.all_chunks == 1)
      finish(first_result + i, partial);
    else
      partials[(first_result + i) * layout.all_chunks + chunk] = partial;
  }
}

/// Reduces f(in[…]…) over the axes along which operand number `target` of the nest does not move,
/// and calls finish(i, partial) for each element i of the target. The nest's first operands are
/// `in`; `finish` is a plain struct of a function for the GPU.
template <class Reducer, class F, class Finish, class... In>
void reduce(const char* op, F f, const LoopNest& nest, int target, Finish finish, const In*... in) {
  using Partial = typename Reducer::Partial;
  using Lookup = LookupNest<sizeof...(In)>;
  constexpr int kCount = kChunk<In...>;
  struct Part : NestPart {
    ReduceLayout layout;
  };
  const SplitNest split = split_at_target(nest, target);
  const int64_t results = split.kept.size();
  if (results == 0) return;
  std::vector<Part> parts;
  int64_t chunks = 0;
  for (const NestPart& part : parts_of(split.reduced)) {
    const LoopNest& reduced = part.nest;
    const bool can_pack = split.inner_is_reduced && reduced.rank > 0 &&
                          reduced.inner().extent % kCount == 0 &&
                          have_aligned_rows<kCount>(reduced, part.at, in...);
    parts.push_back(
        {part, layout_for(results, reduced.size(), split.inner_is_reduced, can_pack, kCount)});
    chunks += parts.back().layout.chunks;
  }
  Tensor scratch;
  Partial* partials = nullptr;
  if (chunks > 1) {
    const int64_t bytes = results * chunks * static_cast<int64_t>(sizeof(Partial));
    scratch = Tensor::empty({bytes}, DType::uint8, Device::cuda);
    partials = reinterpret_cast<Partial*>(scratch.mutable_address<uint8_t>());
  }
  Partial* partials_of_part = partials;
  for (Part& part : parts) {
    part.layout.all_chunks = chunks;
    for (const NestPart& kept : parts_of(split.kept)) {
      const int64_t strips = blocks_of(kept.nest.size(), part.layout.columns);
      const dim3 grid(static_cast<unsigned>(std::min(strips, kMaxBlocks)),
                      static_cast<unsigned>(part.layout.chunks));
      [&]<size_t... k>(std::index_sequence<k...>) {
        launch(op, grid, reduce_kernel<Reducer, F, Finish, In...>, f, Lookup(kept.nest),
               Lookup(part.nest), part.layout, kept.first, static_cast<uint32_t>(part.first),
               partials_of_part, finish, (in + kept.at[k] + part.at[k])...);
      }
      (std::index_sequence_for<In...>());
    }
    if (chunks > 1) partials_of_part += part.layout.chunks;
  }
  if (chunks > 1)
    combine_partials(op, partials, results, chunks, Reducer::identity(), Reducer{}, finish);
}

struct Identity {
  PADE_HD auto operator()(auto x) const { return x; }
};

/// Sums in float64.
struct Sum : Plus {
  using Partial = double;
  static PADE_HD double identity() { return 0; }
  static PADE_HD void add(double& sum, auto value, uint32_t) { sum += static_cast<double>(value); }
};

/// The gradient of an operand that was stretched: f(in[…]…), summed where operand number `target`
/// of the nest does not move.
template <class F, class T, class... In>
void sum_to_target(const char* op, F f, const LoopNest& nest, int target, T* out, const In*... in) {
  if (split_at_target(nest, target).reduced.rank == 0)
    broadcast(op, f, nest, out, in...);
  else
    reduce<Sum>(op, f, nest, target, StoreSum<T>{out}, in...);
}

}  // namespace pade::cuda
