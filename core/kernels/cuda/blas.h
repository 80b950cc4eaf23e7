#pragma once

#include <cstdint>
#include <string>

namespace pade::cuda {

/// `batch` products of matrices in row-major order, C = op(A) · op(B), or that + C where they
/// `accumulate`: op(A) is [rows, inner], op(B) [inner, columns].
struct GemmShape {
  bool transpose_a = false, transpose_b = false, accumulate = false;
  int64_t rows = 0, columns = 0, inner = 0;
  int64_t a_stride = 0, b_stride = 0, c_stride = 0;  ///< elements from a stored row to the next
  int64_t batch = 1;
  int64_t a_batch = 0, b_batch = 0, c_batch = 0;  ///< and from a matrix to the next; A and B may
                                                  ///< be the same for all
};

/// The products, on the stream: by cuBLAS where the machine has it, and by a kernel of our own
/// elsewhere, or where the environment has PADE_NO_CUBLAS. float32's factors are rounded to TF32
/// only where tf32_allowed(). The same bits on every run.
template <class T>
void gemm(const GemmShape& shape, const T* a, const T* b, T* c);

/// The products by our own kernel.
template <class T>
void gemm_without_cublas(const GemmShape& shape, const T* a, const T* b, T* c);

/// As `cuBLAS 13.0`, or why there is none. Opens it if nobody has.
std::string describe_blas();

}  // namespace pade::cuda
