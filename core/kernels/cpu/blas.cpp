#include <cblas.h>
#include <sys/mman.h>

#include <limits>
#include <mutex>

#include <pade/core/error.h>
#include <pade/core/kernels/cpu/blas.h>

namespace pade::blas {
namespace {

/// OpenBLAS would otherwise start a pool of its own that fights with ours.
const bool kept_to_one_thread = (openblas_set_num_threads(1), true);

/// Throws Error where the process may not have the working memory, 128 MiB for each thread, that
/// OpenBLAS asks for in a thread's first product, as under `ulimit -v`: it would ask for ever.
/// There must be room for those of all threads so far, as they may not have been taken yet.
void check_working_memory() {
  thread_local bool is_checked = false;
  if (is_checked) return;
  static std::mutex mutex;
  static size_t threads = 0;
  const std::lock_guard lock(mutex);
  const size_t bytes = (threads + 1) * (size_t{129} << 20);
  void* const room = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(room != MAP_FAILED, "out of memory on cpu: OpenBLAS was about to ask for ", bytes,
        " bytes for ", threads + 1, " threads");
  munmap(room, bytes);
  ++threads;
  is_checked = true;
}

int checked(int64_t extent) {
  check(extent <= std::numeric_limits<int>::max(), "gemm: extent ", extent, " is too large");
  return static_cast<int>(extent);
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, int64_t rows, int64_t columns, int64_t inner, T alpha,
          const T* a, int64_t a_stride, const T* b, int64_t b_stride, T beta, T* c,
          int64_t c_stride) {
  (void)kept_to_one_thread;
  if (rows == 0 || columns == 0) return;
  if (inner == 0) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        T& element = c[i * c_stride + j];
        element = beta == 0 ? T{0} : beta * element;
      }
    return;
  }
  check_working_memory();
  const auto op_a = transpose_a ? CblasTrans : CblasNoTrans;
  const auto op_b = transpose_b ? CblasTrans : CblasNoTrans;
  auto call = [&](auto function) {
    function(CblasRowMajor, op_a, op_b, checked(rows), checked(columns), checked(inner), alpha, a,
             checked(a_stride), b, checked(b_stride), beta, c, checked(c_stride));
  };
  if constexpr (sizeof(T) == sizeof(float))
    call(cblas_sgemm);
  else
    call(cblas_dgemm);
}

template void gemm<float>(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                          const float*, int64_t, float, float*, int64_t);
template void gemm<double>(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                           const double*, int64_t, double, double*, int64_t);

}  // namespace pade::blas
