#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>

/// What the emulated GPU says of itself. EMU_NO_DEVICE makes it absent.

cudaError_t cudaGetDeviceCount(int* count) {
  if (std::getenv("EMU_NO_DEVICE")) return cudaErrorInsufficientDriver;  // and count is left alone
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "CPU emulation");
  properties->totalGlobalMem = size_t{4} << 30;
  properties->major = 9;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }
