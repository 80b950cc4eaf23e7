#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <pade/core/error.h>
#include <pade/data/image_file.h>

namespace pade::data {

/// The bytes of an image file. Reading a number behind their end throws Error.
struct ImageBytes {
  std::vector<uint8_t> all;

  size_t size() const { return all.size(); }
  bool has(size_t at, std::string_view text) const {
    const std::string_view bytes(reinterpret_cast<const char*>(all.data()), size());
    return at <= size() && bytes.substr(at).starts_with(text);
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

/// Throws the Error for a good image of a kind that is not read, as `a JPEG with 12 bits a colour`.
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

/// Decodes a BMP of 1, 2, 4, 8, 16, 24 or 32 bits a pixel, bottom-up or top-down, with any of
/// Windows' headers or the first of OS/2, to three channels; not those that are compressed. Throws
/// Error, as what follows does, when the file is damaged, truncated, of a kind that is not read, or
/// has more than `max_pixels`.
Image decode_bmp(const ImageBytes& bytes, int64_t max_pixels);

/// Decodes a PPM or PGM in its binary form (P6, P5), with 8 or 16 bits a value, to three channels.
Image decode_pnm(const ImageBytes& bytes, int64_t max_pixels);

/// Checks a JPEG's markers, its frame but for the number of pixels, and that its tables are there.
/// Removes what lies between the markers without a meaning, stray and fill bytes, and what follows
/// the end of the image: a decoder sees nothing else that has not been checked.
void clean_jpeg(ImageBytes& bytes);

}  // namespace pade::data
