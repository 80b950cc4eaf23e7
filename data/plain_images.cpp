#include <algorithm>
#include <array>
#include <bit>

#include <pade/data/image_bytes.h>

namespace pade::data {
namespace {

using Colour = std::array<uint8_t, 3>;

/// Rounds 255 value/max.
uint8_t to_byte(uint64_t value, uint64_t max) {
  return static_cast<uint8_t>((std::min(value, max) * 255 + max / 2) / max);
}

bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

struct BmpHeader {
  uint32_t length, bits, compression;
  int64_t width, height;
  bool top_down;
  size_t pixels;  // where they begin
};

BmpHeader read_bmp_header(const ImageBytes& bytes, int64_t max_pixels) {
  BmpHeader h{};
  h.pixels = bytes.little_endian(10, 4);
  h.length = bytes.little_endian(14, 4);
  const bool first_os2 = h.length == 12;
  constexpr std::array<uint32_t, 7> kLengths{12, 40, 52, 56, 64, 108, 124};
  check(std::find(kLengths.begin(), kLengths.end(), h.length) != kLengths.end(),
        "it is damaged: a BMP's header has ", h.length, " bytes");
  const auto extent = [&](size_t number) -> int64_t {
    if (first_os2) return bytes.little_endian(18 + 2 * number, 2);
    return static_cast<int32_t>(bytes.little_endian(18 + 4 * number, 4));
  };
  h.width = extent(0);
  h.top_down = extent(1) < 0;
  h.height = h.top_down ? -extent(1) : extent(1);
  h.bits = bytes.little_endian(first_os2 ? 24 : 28, 2);
  h.compression = first_os2 ? 0 : bytes.little_endian(30, 4);
  if (h.compression == 1 || h.compression == 2 || (h.compression == 4 && h.length == 64))
    unread_kind("a BMP with RLE compression");
  if (h.compression == 4 || h.compression == 5) unread_kind("a BMP with a JPEG or PNG inside");
  const bool wide = h.bits == 16 || h.bits == 32, masked = h.compression != 0;
  if (!wide && h.bits != 1 && h.bits != 2 && h.bits != 4 && h.bits != 8 && h.bits != 24)
    unread_kind("a BMP with ", h.bits, " bits a pixel");
  check(!masked || (wide && h.length != 64 && (h.compression == 3 || h.compression == 6)),
        "it is damaged: a BMP's pixels are stored in way ", h.compression);
  check(h.pixels >= 14 + h.length, "it is damaged: a BMP's pixels begin in its header");
  check_pixels(h.height, h.width, max_pixels);
  return h;
}

/// Where red, green and blue are in the 16 or 32 bits of a pixel.
std::array<uint32_t, 3> read_bmp_masks(const ImageBytes& bytes, const BmpHeader& h) {
  if (h.compression == 0 && h.bits == 16) return {0x7C00, 0x03E0, 0x001F};
  if (h.compression == 0) return {0xFF0000, 0xFF00, 0xFF};
  std::array<uint32_t, 3> masks;  // in the longer headers, or behind the one of 40 bytes
  for (size_t c = 0; c < 3; ++c) {
    masks[c] = bytes.little_endian(54 + 4 * c, 4);
    check(masks[c] != 0, "it is damaged: a BMP has no bits for a colour");
  }
  return masks;
}

std::vector<Colour> read_bmp_palette(const ImageBytes& bytes, const BmpHeader& h) {
  const size_t entry = h.length == 12 ? 3 : 4;
  std::vector<Colour> palette;
  for (size_t at = 14 + h.length; palette.size() < size_t{1} << h.bits && at + entry <= h.pixels;
       at += entry)
    palette.push_back({bytes.byte(at + 2), bytes.byte(at + 1), bytes.byte(at)});
  return palette;
}

}  // namespace

Image decode_bmp(const ImageBytes& bytes, int64_t max_pixels) {
  const BmpHeader h = read_bmp_header(bytes, max_pixels);
  const auto width = static_cast<size_t>(h.width), height = static_cast<size_t>(h.height);
  const size_t row_bits = width * h.bits, stride = (row_bits + 31) / 32 * 4;
  check(h.pixels + stride * (height - 1) + (row_bits + 7) / 8 <= bytes.size(), "it is truncated");
  const bool indexed = h.bits <= 8;
  const auto palette = indexed ? read_bmp_palette(bytes, h) : std::vector<Colour>{};
  const auto masks = indexed ? std::array<uint32_t, 3>{} : read_bmp_masks(bytes, h);

  Image image{h.height, h.width, 3, {}};
  image.pixels.reserve(3 * height * width);
  for (size_t y = 0; y < height; ++y) {
    const size_t row = h.pixels + stride * (h.top_down ? y : height - 1 - y);
    for (size_t x = 0; x < width; ++x) {
      const size_t at = row + x * h.bits / 8;
      Colour colour;
      if (indexed) {
        const size_t shift = 8 - h.bits - x * h.bits % 8;
        const size_t index = bytes.all[at] >> shift & ((1u << h.bits) - 1);
        check(index < palette.size(), "it is damaged: a BMP's pixel is not in its palette");
        colour = palette[index];
      } else {
        const uint32_t value = bytes.little_endian(at, h.bits / 8);
        for (size_t c = 0; c < 3; ++c) {
          const int shift = std::countr_zero(masks[c]);
          colour[c] = to_byte((value & masks[c]) >> shift, masks[c] >> shift);
        }
      }
      image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
    }
  }
  return image;
}

bool is_pnm(const ImageBytes& bytes) {
  return (bytes.has(0, "P5") || bytes.has(0, "P6")) && bytes.size() > 2 &&
         (bytes.all[2] == '#' || is_blank(bytes.all[2]));
}

Image decode_pnm(const ImageBytes& bytes, int64_t max_pixels) {
  size_t at = 2;
  const auto number = [&] {
    uint8_t byte = bytes.byte(at++);
    while (byte == '#' || is_blank(byte)) {
      if (byte == '#')
        while (byte != '\n' && byte != '\r') byte = bytes.byte(at++);
      byte = bytes.byte(at++);
    }
    int64_t value = 0;
    const size_t first = at;
    for (; byte >= '0' && byte <= '9' && at - first < 10; byte = bytes.byte(at++))
      value = 10 * value + (byte - '0');
    check(at > first && is_blank(byte), "it is damaged: a PPM's header is not three numbers");
    return value;  // and `at` is behind one blank
  };
  const int64_t width = number(), height = number(), max = number();
  check_pixels(height, width, max_pixels);
  check(max >= 1 && max <= 65535, "it is damaged: a PPM's largest value is ", max);
  const size_t channels = bytes.has(0, "P6") ? 3 : 1, size = max > 255 ? 2 : 1;
  const auto pixels = static_cast<size_t>(height * width);
  check(pixels * channels * size <= bytes.size() - at, "it is truncated");
  Image image{height, width, 3, {}};
  image.pixels.reserve(3 * pixels);
  for (size_t i = 0; i < 3 * pixels; ++i) {
    const size_t value = channels == 3 ? i : i / 3;
    image.pixels.push_back(
        to_byte(bytes.big_endian(at + value * size, size), static_cast<uint64_t>(max)));
  }
  return image;
}

}  // namespace pade::data
