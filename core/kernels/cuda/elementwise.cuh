#pragma once

#include <type_traits>

#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {

/// out[i] = f(in[i]…) for i < n, sixteen bytes of each array at a time where `packed`.
template <class F, class T, class... In>
__global__ void __launch_bounds__(kThreads)
    elementwise_kernel(F f, bool packed, int64_t n, T* out, const In*... in) {
  constexpr int kSize = kPackSize<T>;
  const int64_t packs = packed ? n / kSize : 0;
  for (int64_t i = first_index(); i < packs; i += index_step()) {
    Pack<T> result;
    auto apply = [&](const auto&... pack) {
#pragma unroll
      for (int k = 0; k < kSize; ++k) result.values[k] = f(pack.values[k]...);
    };
    apply(load_pack<kSize>(in + i * kSize)...);
    store_pack(out + i * kSize, result);
  }
#pragma unroll 1  // for the rest only, or for views; unrolled, it takes registers of the loop above
  for (int64_t i = packs * kSize + first_index(); i < n; i += index_step()) out[i] = f(in[i]...);
}

/// Runs f over all elements: out[i] = f(in[i]…). `out` may be one of the inputs, and all have the
/// same element type.
template <class F, class T, class... In>
void elementwise(const char* op, F f, int64_t n, T* out, const In*... in) {
  static_assert((std::is_same_v<T, In> && ...));
  const bool packed = is_pack_aligned(out, in...);
  launch(op, blocks_for(packed ? blocks_of(n, kPackSize<T>) : n), elementwise_kernel<F, T, In...>,
         f, packed, n, out, in...);
}

}  // namespace pade::cuda
