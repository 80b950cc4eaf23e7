#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "fuzz.h"

/// An input that makes a reader ask for much more memory than it has itself is a fault too.
extern "C" const char* __asan_default_options() {
  return "handle_abort=1:max_allocation_size_mb=1024:detect_stack_use_after_return=0";
}

namespace pade::fuzz {

std::filesystem::path file_with(std::string_view contents) {
  static const int descriptor = memfd_create("input", MFD_CLOEXEC);
  require(descriptor >= 0 && ftruncate(descriptor, 0) == 0 &&
              pwrite(descriptor, contents.data(), contents.size(), 0) ==
                  static_cast<ssize_t>(contents.size()),
          "the input can be written to a file in memory");
  return "/proc/self/fd/" + std::to_string(descriptor);
}

TemporaryFile::TemporaryFile(std::string_view name) {
  std::string pattern = std::filesystem::temp_directory_path() / "pade-fuzz-XXXXXX";
  require(mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  folder_ = pattern;
  path_ = folder_ / name;
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: this does not hold: %.*s\n", static_cast<int>(what.size()),
               what.data());
  std::abort();
}

}  // namespace pade::fuzz
