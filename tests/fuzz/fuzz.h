#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include <pade/core/error.h>

/// What a fuzzer calls, again and again, with bytes that it makes up; each target defines it. A
/// target that ends in anything but a return has found a fault.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace pade::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A file in memory with these contents, for readers that want a path. The next call replaces it.
std::filesystem::path file_with(std::string_view contents);

/// A place in the file system for a target that needs one; nothing is there in the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view name);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path folder_, path_;
};

/// Whether f() returns. That it refuses its input by an Error is the other right answer; any other
/// exception leaves the target, and ends it.
template <class F>
bool accepts(F&& f) {
  try {
    f();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Ends the target: what holds for every input did not hold for this one.
void require(bool holds, std::string_view what);

}  // namespace pade::fuzz
