// The few functions of cuBLAS that the library looks up by name, over OpenBLAS. Operands must lie
// in device memory that was written.
#include <cblas.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "device_memory.h"
#include "errors.h"
#include "streams.h"

namespace {

enum Status { success = 0, not_initialized = 1, invalid_value = 7, execution_failed = 13 };

struct Handle {
  cudaStream_t stream = nullptr;
};

template <class T>
struct Matrix {
  const T* data;
  int rows, columns, stride;  // column-major, as stored
  const char* name;

  size_t bytes() const {
    return rows == 0 || columns == 0 ? 0 : (size_t(stride) * (columns - 1) + rows) * sizeof(T);
  }
  size_t offset_of_column(int column) const { return size_t(column) * stride; }

  bool lies_in_one_allocation() const {
    if (bytes() == 0) return true;
    emu::Allocation* block = emu::allocation_of(data);
    if (block && block->has(data, bytes())) {
      emu::open_pages(*block);  // BLAS has threads of its own
      return true;
    }
    emu::report(cudaErrorIllegalAddress,
                std::string("cuBLAS: matrix ") + name +
                    (block ? " reaches past its allocation" : " is not device memory"));
    return false;
  }

  bool is_initialized() const {
    bool all = true;
    for_each_byte([&](emu::Shadows& shadows, size_t byte) {
      all = all && emu::is_initialized(shadows, byte);
    });
    if (!all)
      emu::report(cudaErrorIllegalAddress,
                  std::string("cuBLAS: matrix ") + name + " was not written everywhere");
    return all;
  }

  void mark_written() const {
    for_each_byte(
        [](emu::Shadows& shadows, size_t byte) { emu::set_initialized(shadows, byte, true); });
  }

 private:
  template <class F>
  void for_each_byte(F&& f) const {
    emu::Allocation* block = emu::allocation_of(data);
    if (!block || block->shadows.empty()) return;
    for (int column = 0; column < columns; ++column) {
      const size_t first = block->offset_of(data + offset_of_column(column));
      for (size_t byte = 0; byte < rows * sizeof(T); ++byte) f(block->shadows, first + byte);
    }
  }
};

void multiply(CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, int m, int n, int k, float alpha,
              const Matrix<float>& x, const Matrix<float>& y, float beta, const Matrix<float>& z) {
  cblas_sgemm(CblasColMajor, a, b, m, n, k, alpha, x.data, x.stride, y.data, y.stride, beta,
              const_cast<float*>(z.data), z.stride);
}
void multiply(CBLAS_TRANSPOSE a, CBLAS_TRANSPOSE b, int m, int n, int k, double alpha,
              const Matrix<double>& x, const Matrix<double>& y, double beta,
              const Matrix<double>& z) {
  cblas_dgemm(CblasColMajor, a, b, m, n, k, alpha, x.data, x.stride, y.data, y.stride, beta,
              const_cast<double*>(z.data), z.stride);
}

template <class T>
int gemm(void* handle, int op_a, int op_b, int m, int n, int k, const T* alpha, const T* a, int lda,
         long long a_batch, const T* b, int ldb, long long b_batch, const T* beta, T* c, int ldc,
         long long c_batch, int batch) {
  const Matrix<T> first{a, op_a ? k : m, op_a ? m : k, lda, "A"};
  const Matrix<T> second{b, op_b ? n : k, op_b ? k : n, ldb, "B"};
  const Matrix<T> result{c, m, n, ldc, "C"};
  if (m < 0 || n < 0 || k < 0 || lda < std::max(1, first.rows) || ldb < std::max(1, second.rows) ||
      ldc < std::max(1, m))
    return invalid_value;
  // Scalars are the host's, and read at the call.
  emu::enqueue(static_cast<Handle*>(handle)->stream, [=, by = *alpha, keep = *beta] {
    for (int i = 0; i < batch; ++i) {
      Matrix<T> x = first, y = second, z = result;
      x.data += i * a_batch;
      y.data += i * b_batch;
      z.data += i * c_batch;
      if (!x.lies_in_one_allocation() || !y.lies_in_one_allocation() ||
          !z.lies_in_one_allocation() || !x.is_initialized() || !y.is_initialized() ||
          (keep != 0 && !z.is_initialized()))
        break;
      multiply(op_a ? CblasTrans : CblasNoTrans, op_b ? CblasTrans : CblasNoTrans, m, n, k, by, x,
               y, keep, z);
      z.mark_written();
    }
  });
  return success;
}

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) {
  if (getenv("EMU_NO_CUBLAS")) return not_initialized;
  *handle = new Handle;
  return success;
}
int cublasDestroy_v2(void* handle) {
  delete static_cast<Handle*>(handle);
  return success;
}
int cublasSetStream_v2(void* handle, cudaStream_t stream) {
  static_cast<Handle*>(handle)->stream = stream;
  return success;
}
int cublasSetMathMode(void*, int) { return success; }
int cublasSetWorkspace_v2(void*, void*, size_t) { return success; }
int cublasGetVersion_v2(void*, int* version) {
  *version = 130000;
  return success;
}
const char* cublasGetStatusString(int status) {
  return status == success ? "success" : status == invalid_value ? "invalid value" : "failed";
}

int cublasSgemmStridedBatched(void* handle, int op_a, int op_b, int m, int n, int k,
                              const float* alpha, const float* a, int lda, long long a_batch,
                              const float* b, int ldb, long long b_batch, const float* beta,
                              float* c, int ldc, long long c_batch, int batch) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, lda, a_batch, b, ldb, b_batch, beta, c, ldc,
              c_batch, batch);
}
int cublasDgemmStridedBatched(void* handle, int op_a, int op_b, int m, int n, int k,
                              const double* alpha, const double* a, int lda, long long a_batch,
                              const double* b, int ldb, long long b_batch, const double* beta,
                              double* c, int ldc, long long c_batch, int batch) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, lda, a_batch, b, ldb, b_batch, beta, c, ldc,
              c_batch, batch);
}
int cublasSgemm_v2(void* handle, int op_a, int op_b, int m, int n, int k, const float* alpha,
                   const float* a, int lda, const float* b, int ldb, const float* beta, float* c,
                   int ldc) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}
int cublasDgemm_v2(void* handle, int op_a, int op_b, int m, int n, int k, const double* alpha,
                   const double* a, int lda, const double* b, int ldb, const double* beta,
                   double* c, int ldc) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}

}  // extern "C"
