#pragma once

#include <pade/core/kernels/cuda/kernel.cuh>

/// The tensor cores' product of small matrices in TF32: factors of 10 bits of mantissa, sums in
/// float32. From compute capability 8.0 on.
namespace pade::cuda {

#ifdef PADE_CUDA_EMULATED
using ::emu::multiply_tf32;
using ::emu::to_tf32;
#else
/// Rounded to TF32, ties away from zero.
__device__ __forceinline__ float to_tf32(float x) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
}

/// By all lanes of a warp: D[16][8] += A[16][8] · B[8][8]. With g = lane / 4 and t = lane % 4, a
/// lane holds
///   a: A[g][t], A[g + 8][t], A[g][t + 4], A[g + 8][t + 4]      b: B[t][g], B[t + 4][g]
///   d: D[g][2t], D[g][2t + 1], D[g + 8][2t], D[g + 8][2t + 1]
/// as PTX has it for mma.m16n8k8. The factors must be to_tf32()'s.
__device__ __forceinline__ void multiply_tf32(float (&d)[4], const float (&a)[4],
                                              const float (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
        "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
}
#endif

}  // namespace pade::cuda
