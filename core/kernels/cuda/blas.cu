#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <tuple>

#include <pade/core/device.h>
#include <pade/core/kernels/cuda/blas.h>
#include <pade/core/storage.h>
#include <pade/core/kernels/cuda/kernel.cuh>

/// cuBLAS is opened at run time, by the first product: it costs a process 0.1 s and 200 MB, and
/// programs start where it is not installed. Hence no header of its own is used.
namespace pade::cuda {
namespace {

#ifdef PADE_CUDA_EMULATED
constexpr const char* kLibraries[] = {nullptr};  // the program itself has the functions
constexpr size_t kWorkspaceBytes = 0;
#else
constexpr const char* kLibraries[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so"};
constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // what cuBLAS recommends for Hopper
#endif

using Status = int;  // 0 is success
using Handle = void*;
using Operation = int;
constexpr Operation kAsStored = 0, kTransposed = 1;
enum MathMode : int { kExactMath = 0, kTf32Math = 3 };

template <class T>
using Multiply = Status(Handle, Operation, Operation, int m, int n, int k, const T* alpha,
                        const T* a, int a_stride, const T* b, int b_stride, const T* beta, T* c,
                        int c_stride);
template <class T>
using MultiplyBatch = Status(Handle, Operation, Operation, int m, int n, int k, const T* alpha,
                             const T* a, int a_stride, long long a_batch, const T* b, int b_stride,
                             long long b_batch, const T* beta, T* c, int c_stride,
                             long long c_batch, int batch);
template <class T>
struct Products {
  Multiply<T>* one = nullptr;
  MultiplyBatch<T>* batch = nullptr;
};

/// The functions of cuBLAS that are used.
struct Functions {
  Status (*create)(Handle*) = nullptr;
  Status (*destroy)(Handle) = nullptr;
  Status (*set_stream)(Handle, cudaStream_t) = nullptr;
  Status (*set_workspace)(Handle, void*, size_t) = nullptr;
  Status (*set_math_mode)(Handle, int) = nullptr;
  Status (*get_version)(Handle, int*) = nullptr;
  const char* (*get_status_string)(Status) = nullptr;
  std::tuple<Products<float>, Products<double>> products;

  /// The name of a function that the library lacks; null if it has all.
  const char* find_in(void* library) {
    const char* missing = nullptr;
    auto find = [&]<class F>(F*& function, const char* name) {
      function = reinterpret_cast<F*>(dlsym(library, name));
      if (!function) missing = name;
    };
    find(create, "cublasCreate_v2");
    find(destroy, "cublasDestroy_v2");
    find(set_stream, "cublasSetStream_v2");
    find(set_workspace, "cublasSetWorkspace_v2");
    find(set_math_mode, "cublasSetMathMode");
    find(get_version, "cublasGetVersion_v2");
    find(get_status_string, "cublasGetStatusString");
    auto& [float32, float64] = products;
    find(float32.one, "cublasSgemm_v2");
    find(float64.one, "cublasDgemm_v2");
    find(float32.batch, "cublasSgemmStridedBatched");
    find(float64.batch, "cublasDgemmStridedBatched");
    return missing;
  }
};

class Cublas {
 public:
  Cublas() {
    if (std::getenv("PADE_NO_CUBLAS")) {
      problem_ = "PADE_NO_CUBLAS is set";
      return;
    }
    for (const char* name : kLibraries) {
      std::string problem = open(name);
      if (problem.empty()) return;
      if (!problem_.empty()) problem_ += "; ";
      problem_ += problem;
    }
  }

  std::string describe() {
    const std::lock_guard lock(mutex_);
    if (!handle_) return "no cuBLAS (" + problem_ + ")";
    int version = 0;  // 13.1.0 is 130100
    functions_.get_version(handle_, &version);
    return "cuBLAS " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100);
  }

  /// False where cuBLAS is not there or does not do this product: then nothing was done.
  template <class T>
  bool multiply(const GemmShape& shape, const T* a, const T* b, T* c) {
    const std::lock_guard lock(mutex_);
    if (!handle_ || !takes(shape)) return false;
    const Status status = call(shape, a, b, c);
    if (status == 0) return true;
    problem_ = text_of("a product", status);
    destroy();
    return false;
  }

 private:
  /// Empty, or what is wrong with this library.
  std::string open(const char* name) {
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
    if (const char* missing = functions_.find_in(library))
      return std::string(name ? name : "the emulation") + " has no " + missing;
    std::string problem;
    auto failed = [&](const char* what, Status status) {
      if (status != 0) problem = text_of(what, status);
      return status != 0;
    };
    // A workspace of its own keeps cuBLAS from choosing another way, with other rounding, when it
    // cannot allocate one. Setting the stream would forget it.
    if (kWorkspaceBytes > 0) workspace_ = std::make_unique<Storage>(kWorkspaceBytes, Device::cuda);
    void* const workspace = workspace_ ? workspace_->data() : nullptr;
    if (failed("cublasCreate", functions_.create(&handle_)) ||
        failed("cublasSetStream", functions_.set_stream(handle_, stream())) ||
        failed("cublasSetWorkspace", functions_.set_workspace(handle_, workspace, kWorkspaceBytes)))
      destroy();
    return problem;
  }

  void destroy() {
    if (handle_) functions_.destroy(handle_);
    handle_ = nullptr;
    workspace_.reset();
  }

  std::string text_of(const char* what, Status status) const {
    return std::string(what) + ": " + functions_.get_status_string(status);
  }

  /// cuBLAS counts in 32 bits, and may find a product over nothing invalid.
  static bool takes(const GemmShape& shape) {
    return shape.inner > 0 &&
           std::max({shape.rows, shape.columns, shape.inner, shape.batch, shape.a_stride,
                     shape.b_stride, shape.c_stride}) <= std::numeric_limits<int>::max();
  }

  /// cuBLAS counts by columns: to it our matrices are transposed, and Cᵀ = op(B)ᵀ · op(A)ᵀ.
  template <class T>
  Status call(const GemmShape& shape, const T* a, const T* b, T* c) {
    const T alpha = 1, beta = shape.accumulate ? 1 : 0;
    const bool tf32 = sizeof(T) == sizeof(float) && tf32_allowed();
    const Status status = functions_.set_math_mode(handle_, tf32 ? kTf32Math : kExactMath);
    if (status != 0) return status;
    const Operation op_a = shape.transpose_a ? kTransposed : kAsStored;
    const Operation op_b = shape.transpose_b ? kTransposed : kAsStored;
    const auto& [one, batch] = std::get<Products<T>>(functions_.products);
    if (shape.batch == 1)
      return one(handle_, op_b, op_a, shape.columns, shape.rows, shape.inner, &alpha, b,
                 shape.b_stride, a, shape.a_stride, &beta, c, shape.c_stride);
    return batch(handle_, op_b, op_a, shape.columns, shape.rows, shape.inner, &alpha, b,
                 shape.b_stride, shape.b_batch, a, shape.a_stride, shape.a_batch, &beta, c,
                 shape.c_stride, shape.c_batch, shape.batch);
  }

  std::mutex mutex_;
  Functions functions_;
  Handle handle_ = nullptr;
  std::unique_ptr<Storage> workspace_;
  std::string problem_;
};

/// Never destroyed: the driver may be gone by then.
Cublas& cublas() {
  static Cublas& instance = *new Cublas;
  return instance;
}

}  // namespace

template <class T>
void gemm(const GemmShape& shape, const T* a, const T* b, T* c) {
  if (shape.rows == 0 || shape.columns == 0 || shape.batch == 0) return;
  if (!cublas().multiply(shape, a, b, c)) gemm_without_cublas(shape, a, b, c);
}

std::string describe_blas() { return cublas().describe(); }

template void gemm(const GemmShape&, const float*, const float*, float*);
template void gemm(const GemmShape&, const double*, const double*, double*);

}  // namespace pade::cuda
