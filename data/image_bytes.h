#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <pade/core/error.h>

namespace pade::data {

/// The bytes of an image file. Reading a number behind their end throws Error.
struct ImageBytes {
  std::vector<uint8_t> all;

  size_t size() const { return all.size(); }
  bool has(size_t at, std::string_view text) const {
    return at <= size() && std::string_view(reinterpret_cast<const char*>(all.data()), size())
                               .substr(at)
                               .starts_with(text);
  }
  uint32_t big_endian(size_t at, size_t bytes) const {
    uint32_t number = 0;
    for (size_t i = 0; i < bytes; ++i) number = number << 8 | byte(at + i);
    return number;
  }
  uint32_t little_endian(size_t at, size_t bytes) const {
    uint32_t number = 0;
    for (size_t i = bytes; i-- > 0;) number = number << 8 | byte(at + i);
    return number;
  }
  uint8_t byte(size_t at) const {
    check(at < size(), "it is truncated");
    return all[at];
  }
};

/// Throws the Error for an image that is well-formed and of a kind that is not read, as in
/// unread_kind("a JPEG with ", 12, " bits a colour").
template <class... Parts>
[[noreturn]] void unread_kind(const Parts&... kind) {
  fail("it is ", kind..., ", which is not read; convert it to PNG");
}

/// Throws Error unless there are pixels, and at most `max_pixels`.
inline void check_pixels(int64_t height, int64_t width, int64_t max_pixels) {
  check(height > 0 && width > 0, "it is damaged: it has ", height, "×", width, " pixels");
  check(height <= max_pixels / width, "it has ", height, "×", width, " pixels, more than the ",
        max_pixels, " that are allowed");
}

}  // namespace pade::data
