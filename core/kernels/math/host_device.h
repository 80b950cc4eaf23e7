#pragma once

/// Marks a function that stands once for the CPU's loops and the GPU's kernels.
#ifdef __CUDACC__
#define PADE_HD __host__ __device__ __forceinline__
#else
#define PADE_HD inline __attribute__((always_inline))
#endif

/// Before a loop of such a function: unrolls it whole, so that what it indexes stays in registers …
/// … or not at all, so that it takes few of them.
#ifdef __CUDACC__
#define PADE_UNROLL _Pragma("unroll")
#define PADE_ROLLED _Pragma("unroll 1")
#else
#define PADE_UNROLL _Pragma("GCC unroll 16")
#define PADE_ROLLED _Pragma("GCC unroll 1")
#endif
