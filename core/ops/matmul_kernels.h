#pragma once

#include <pade/core/tensor.h>

namespace pade {

/// Products of stacks of matrices: op(A) is [rows, inner], op(B) [inner, columns]. A, B and C have
/// leading axes of their own, each of which has the extent that `batch` has there, or 1, or is
/// missing in front. At every index of `batch`, op(A)·op(B) is added to C: where C's extent is 1
/// and batch's is not, C is a sum (the gradient of what was broadcast).
struct MatmulProblem {
  bool transpose_a = false, transpose_b = false;
  int64_t rows = 0, columns = 0, inner = 0;
  Shape a_batch, b_batch, c_batch;
  Shape batch;
  bool accumulate = false;  ///< add to what C holds instead of overwriting it
};

/// The products, on the device where C lives.
void multiply(const MatmulProblem& problem, const Tensor& a, const Tensor& b, Tensor& c);

namespace cpu {

void matmul(const MatmulProblem& problem, const Tensor& a, const Tensor& b, Tensor& c);

}  // namespace cpu

namespace cuda {

decltype(cpu::matmul) matmul;

}  // namespace cuda
}  // namespace pade
