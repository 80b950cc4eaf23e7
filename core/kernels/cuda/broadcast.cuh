#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <pade/core/kernels/math/index_lookup.h>
#include <pade/core/kernels/cuda/kernel.cuh>

/// Element by element over a loop nest, in which operands may be stretched.
namespace pade::cuda {

/// Neighbouring elements that one thread takes at a time: sixteen bytes of the widest type, and
/// four elements at most.
template <class... T>
inline constexpr int kChunk = std::min(4, 16 / static_cast<int>(std::max({sizeof(T)...})));

/// The next elements along the innermost axis, or one element again and again where the operand is
/// stretched.
template <int kCount, class T>
__device__ __forceinline__ Pack<T, kCount> load_operand(const T* from, uint32_t stride) {
  if (stride != 0) return load_pack<kCount>(from);
  Pack<T, kCount> pack;
  const T value = *from;
#pragma unroll
  for (T& element : pack.values) element = value;
  return pack;
}

/// f(a[…], b[…], …) where the operands are at `place`.
template <class F, class Place, class... In>
__device__ __forceinline__ auto apply_at(const F& f, const Place& place, const In*... in) {
  return [&]<size_t... k>(std::index_sequence<k...>) { return f(in[place.of[k]]...); }
  (std::index_sequence_for<In...>());
}
/// The same for the next kCount elements along the innermost axis.
template <int kCount, class F, class Nest, class Place, class... In>
__device__ __forceinline__ auto apply_chunk(const F& f, const Nest& nest, const Place& place,
                                            const In*... in) {
  using Out = decltype(f(*in...));
  return [&]<size_t... k>(std::index_sequence<k...>) {
    Pack<Out, kCount> result;
    auto apply = [&](const auto&... operands) {
#pragma unroll
      for (int i = 0; i < kCount; ++i) result.values[i] = f(operands.values[i]...);
    };
    apply(load_operand<kCount>(in + place.of[k], nest.inner_stride(static_cast<int>(k)))...);
    return result;
  }
  (std::index_sequence_for<In...>());
}

/// Whether the operands' rows, which begin at `at`, can be read kCount elements at a time, if that
/// divides their length.
template <int kCount, class... In>
bool have_aligned_rows(const LoopNest& nest, const Offsets& at, const In*... in) {
  return [&]<size_t... k>(std::index_sequence<k...>) {
    return ((nest.inner().strides[k] == 0 ||
             (nest.inner().strides[k] == 1 && is_aligned(in + at[k], kCount * sizeof(In)))) &&
            ...);
  }
  (std::index_sequence_for<In...>());
}

template <class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads)
    broadcast_kernel(F f, LookupNest<sizeof...(In)> nest, bool packed, Out* out, const In*... in) {
  constexpr uint32_t kCount = kChunk<Out, In...>;
  const uint32_t n = nest.size(), chunks = packed ? n / kCount : 0;
  const uint32_t first = static_cast<uint32_t>(first_index());
  const uint32_t step = static_cast<uint32_t>(index_step());
  for (uint32_t i = first; i < chunks; i += step)
    store_pack(out + i * kCount, apply_chunk<kCount>(f, nest, nest.at(i * kCount), in...));
  load_ahead(
      chunks * kCount + first, n, step, [&](uint32_t i) { return apply_at(f, nest.at(i), in...); },
      [&](uint32_t i, const Out& value) { out[i] = value; });
}

/// out[i] = f(in[…]…) for every element i of the nest, whose first operands are `in`, in that
/// order. `f` returns an Out.
template <class F, class Out, class... In>
void broadcast(const char* op, F f, const LoopNest& nest, Out* out, const In*... in) {
  constexpr int kCount = kChunk<Out, In...>;
  static_assert(std::is_same_v<Out, decltype(f(*in...))>);
  for (const NestPart& p : parts_of(nest)) {
    const bool packed = (p.nest.rank == 1 || p.nest.inner().extent % kCount == 0) &&
                        is_aligned(out + p.first, kCount * sizeof(Out)) &&
                        have_aligned_rows<kCount>(p.nest, p.at, in...);
    const int64_t n = p.nest.size();
    [&]<size_t... k>(std::index_sequence<k...>) {
      launch(op, blocks_for(packed ? blocks_of(n, kCount) : n), broadcast_kernel<F, Out, In...>, f,
             LookupNest<sizeof...(In)>(p.nest), packed, out + p.first, in + p.at[k]...);
    }
    (std::index_sequence_for<In...>());
  }
}

}  // namespace pade::cuda
