#include "errors.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <emu/emulator.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace emu {
namespace {

cudaError_t last = cudaSuccess, lasting = cudaSuccess;
std::string reports;

/// What addr2line prints of the code at an address.
std::string ask_addr2line(const char* options, const void* code, int back) {
  Dl_info file;
  if (!dladdr(code, &file)) return "?";
  const auto offset = static_cast<const char*>(code) - static_cast<char*>(file.dli_fbase) - back;
  char command[4400], line[1024];
  std::snprintf(command, sizeof command, "addr2line %s -e '%s' 0x%zx 2>/dev/null", options,
                file.dli_fname, static_cast<size_t>(offset));
  std::string answer;
  if (FILE* output = popen(command, "r")) {
    if (std::fgets(line, sizeof line, output)) answer = line;
    pclose(output);
  }
  while (answer.ends_with('\n')) answer.pop_back();
  return answer.empty() ? "?" : answer;
}

}  // namespace

cudaError_t report(cudaError_t code, std::string text) {
  if (!settings().quiet) std::fprintf(stderr, "emu: %s\n", text.c_str());
  reports += text + "\n";
  last = code;
  if (code == cudaErrorLaunchFailure || code == cudaErrorIllegalAddress) lasting = code;
  return code;
}

cudaError_t lasting_error() { return lasting; }

std::string take_report() { return std::exchange(reports, {}); }

void reset_device() {
  last = lasting = cudaSuccess;
  reports.clear();
}

std::string at(const Place& place) {
  return std::string(" at ") + place.file_name() + ":" + std::to_string(place.line()) + ":" +
         std::to_string(place.column());
}

bool same_place(const Place& a, const Place& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}

std::string source_line(const void* return_address) {
  return ask_addr2line("-ps", return_address, 1);  // the call is before it
}

std::string function_name(const void* function) {
  Dl_info symbol;
  if (!dladdr(function, &symbol) || !symbol.dli_sname)  // in an anonymous namespace
    return ask_addr2line("-fC", function, 0);
  int status = 0;
  char* demangled = abi::__cxa_demangle(symbol.dli_sname, nullptr, nullptr, &status);
  const std::string name = status == 0 ? demangled : symbol.dli_sname;
  std::free(demangled);
  return name;
}

}  // namespace emu

cudaError_t cudaGetLastError() {
  using namespace emu;
  const cudaError_t error = lasting != cudaSuccess ? lasting : last;
  last = cudaSuccess;
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidMemcpyDirection: return "cudaErrorInvalidMemcpyDirection";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
  }
  return "cudaErrorUnknown";
}

/// The reports so far, where there are any: they say more than the code.
const char* cudaGetErrorString(cudaError_t error) {
  if (error == cudaErrorInsufficientDriver)
    return "CUDA driver version is insufficient for CUDA runtime version";
  static std::string text;
  text = emu::reports.empty() ? cudaGetErrorName(error) : emu::reports;
  while (text.ends_with('\n')) text.pop_back();
  return text.c_str();
}
