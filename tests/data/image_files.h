#pragma once

#include <cstdint>
#include <string>
#include <vector>

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#include <zlib.h>

namespace pade::testing {

enum class ImageFormat { png, jpeg, bmp };

/// The file of an image of these bytes, [height, width, channels].
inline std::string image_bytes(ImageFormat format, int height, int width, int channels,
                               const std::vector<uint8_t>& pixels) {
  std::string bytes;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<char*>(data), static_cast<size_t>(size));
  };
  switch (format) {
    case ImageFormat::png:
      stbi_write_png_to_func(append, &bytes, width, height, channels, pixels.data(), 0);
      break;
    case ImageFormat::jpeg:
      stbi_write_jpg_to_func(append, &bytes, width, height, channels, pixels.data(), 95);
      break;
    case ImageFormat::bmp:
      stbi_write_bmp_to_func(append, &bytes, width, height, channels, pixels.data());
      break;
  }
  return bytes;
}

inline std::string big_endian(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

/// A PNG chunk with its checksum.
inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  const uLong sum =
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return big_endian(static_cast<uint32_t>(data.size())) + checked +
         big_endian(static_cast<uint32_t>(sum));
}

inline std::string png_signature() { return std::string("\x89PNG\r\n\x1a\n"); }

/// Grey, 8 bits.
inline std::string png_header(uint32_t height, uint32_t width) {
  return png_chunk("IHDR", big_endian(width) + big_endian(height) + std::string("\x8\0\0\0\0", 5));
}

}  // namespace pade::testing
