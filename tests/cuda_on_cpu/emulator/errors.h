#pragma once

#include <cuda_runtime.h>

#include <string>

namespace emu {

/// Reports what went wrong and keeps `code` for the next cudaGetLastError(). A fault of a kernel
/// stays: every later call gives it, as on a GPU.
cudaError_t report(cudaError_t code, std::string text);
/// The fault that stays, or cudaSuccess.
cudaError_t lasting_error();

/// " at file:line:column".
std::string at(const Place&);
bool same_place(const Place&, const Place&);
/// The source line that a return address in a kernel belongs to.
std::string source_line(const void* return_address);
std::string function_name(const void* function);

}  // namespace emu
