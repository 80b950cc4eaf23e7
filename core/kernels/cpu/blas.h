#pragma once

#include <cstdint>

namespace pade::blas {

/// C = alpha · op(A) · op(B) + beta · C in row-major order on the calling thread: op(A) is
/// [rows, inner], op(B) [inner, columns], C [rows, columns]; `*_stride` are elements from one
/// stored row to the next. OpenBLAS underneath, kept to one thread: parallelism is over our own
/// blocks. With beta == 0, C may be uninitialised.
template <class T>
void gemm(bool transpose_a, bool transpose_b, int64_t rows, int64_t columns, int64_t inner, T alpha,
          const T* a, int64_t a_stride, const T* b, int64_t b_stride, T beta, T* c,
          int64_t c_stride);

}  // namespace pade::blas
