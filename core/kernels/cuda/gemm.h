#pragma once

#include <pade/core/kernels/cuda/blas.h>

/// What products of matrices are made of where cuBLAS is not there or has no answer.
namespace pade::cuda {

/// gemm() by our own kernel. A long inner axis with a small result is cut into slices, whose sums
/// are then added in their order: the same bits on every GPU.
template <class T>
void gemm_without_cublas(const GemmShape& shape, T alpha, const T* a, const T* b, T beta, T* c);

/// C = alpha · Σ of `count` terms + beta · C, in the order of the terms, in float64. C is as in
/// `shape`; a term is that many matrices without gaps, and the terms lie one after the other.
template <class T>
void sum_terms(const GemmShape& shape, int64_t count, T alpha, const T* terms, T beta, T* c);

}  // namespace pade::cuda
