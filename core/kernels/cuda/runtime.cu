
#include <pade/core/error.h>
#include <pade/core/kernels/cuda/blas.h>
#include <pade/core/kernels/cuda/runtime.h>
#include <pade/core/text_stream.h>
#include <pade/core/kernels/cuda/kernel.cuh>

namespace pade::cuda {
namespace {

/// Shows that kernels of this build run on this GPU.
__global__ void probe_kernel(int* answer) { *answer = 42; }

/// CUDA writes 13.1 as 13010.
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string text_of(cudaError_t status) {
  return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}

/// What was found when the GPU was first asked for.
struct Found {
  std::string problem;  ///< empty when there is a GPU that works
  std::string name;
  cudaStream_t stream = nullptr;

  Found() {
    try {
      look();
    } catch (const Error& error) {
      problem = error.what();
    }
  }

 private:
  void look() {
    int count = 0;  // without a driver it is left as it is
    check_cuda(cudaGetDeviceCount(&count), "no GPU that CUDA can use");
    check(count > 0, "no GPU that CUDA can use: there is none");
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, 0), "the GPU does not answer");
    TextStream text;
    text << properties.name << ", sm_" << properties.major << properties.minor << ", "
         << (properties.totalGlobalMem >> 30) << " GiB";
    name = text.str();
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "the GPU has no stream");
    probe();
  }

  void probe() {
    int* on_gpu = nullptr;
    int answer = 0;
    check_cuda(cudaMalloc(&on_gpu, sizeof(int)), "the GPU has no memory left");
    cudaLaunchConfig_t config{};
    config.gridDim = config.blockDim = dim3(1);
    config.stream = stream;
    cudaError_t status = cudaLaunchKernelEx(&config, probe_kernel, on_gpu);
    if (status == cudaSuccess)
      status = cudaMemcpyAsync(&answer, on_gpu, sizeof(int), cudaMemcpyDeviceToHost, stream);
    if (status == cudaSuccess) status = cudaStreamSynchronize(stream);
    cudaFree(on_gpu);
    const std::string what = name + " cannot run this build's kernels";
    check_cuda(status, what.c_str());
    check(answer == 42, what);
  }
};

/// Never destroyed: the driver may be gone by then.
const Found& found() {
  static const Found& instance = *new Found;
  return instance;
}

cudaMemcpyKind kind_of(Device to, Device from) {
  if (to == Device::cuda)
    return from == Device::cuda ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice;
  return from == Device::cuda ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost;
}

}  // namespace

std::string why_unavailable() { return found().problem; }

std::string describe() {
  int driver = 0, runtime = 0;
  check_cuda(cudaDriverGetVersion(&driver), "the driver's version");
  check_cuda(cudaRuntimeGetVersion(&runtime), "the runtime's version");
  return found().name + ", driver " + version_text(driver) + ", runtime " + version_text(runtime) +
         ", " + describe_blas();
}

cudaStream_t stream() {
  const Found& here = found();
  check(here.problem.empty(), "device cuda: ", here.problem);
  return here.stream;
}

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // it would be reported once more otherwise, where it is not for good
  fail(what, ": ", text_of(status));
}

void synchronize() {
  check_cuda(cudaStreamSynchronize(stream()),
             "something that the GPU was asked to do failed (CUDA_LAUNCH_BLOCKING=1 tells what)");
}

void* allocate_from_system(size_t bytes) {
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check_cuda(status, "memory of the GPU");
  return block;
}

/// Called where nothing may be thrown; a failure will be met again by the next call.
void free_to_system(void* block) { cudaFree(block); }

void fill_bytes(void* to, unsigned char value, size_t bytes) {
  if (bytes == 0) return;
  check_cuda(cudaMemsetAsync(to, value, bytes, stream()), "filling memory of the GPU");
}

void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes) {
  if (bytes == 0) return;
  check_cuda(cudaMemcpyAsync(to, from, bytes, kind_of(to_device, from_device), stream()),
             "copying to or from the GPU");
  if (to_device == Device::cpu) synchronize();
}

}  // namespace pade::cuda
