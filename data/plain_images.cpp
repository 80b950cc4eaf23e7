#include <algorithm>
#include <array>
#include <bit>

#include <pade/data/image_bytes.h>

namespace pade::data {
namespace {

/// Rounds 255 value/max.
uint8_t to_byte(uint64_t value, uint64_t max) {
  return static_cast<uint8_t>((std::min(value, max) * 255 + max / 2) / max);
}

bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/// Throws Error unless a BMP's pixels are stored in a way that is read.
void check_bmp(size_t header, size_t bits, size_t way) {
  constexpr std::array<size_t, 7> kHeaders{12, 40, 52, 56, 64, 108, 124};
  check(std::ranges::count(kHeaders, header) > 0, "it is damaged: a BMP's header has ", header,
        " bytes");
  if (way == 1 || way == 2 || (way == 4 && header == 64)) unread_kind("a BMP with RLE compression");
  if (way == 4 || way == 5) unread_kind("a BMP with a JPEG or PNG inside");
  constexpr std::array<size_t, 7> kDepths{1, 2, 4, 8, 16, 24, 32};
  if (std::ranges::count(kDepths, bits) == 0) unread_kind("a BMP with ", bits, " bits a pixel");
  const bool masked = (way == 3 || way == 6) && (bits == 16 || bits == 32) && header != 64;
  check(way == 0 || masked, "it is damaged: a BMP's pixels are stored in way ", way);
}

}  // namespace

Image decode_bmp(const ImageBytes& bytes, int64_t max_pixels) {
  const size_t first = bytes.little_endian(10, 4), header = bytes.little_endian(14, 4);
  const bool os2 = header == 12;  // the first of its headers
  const auto extent = [&](size_t i) -> int64_t {
    if (os2) return bytes.little_endian(18 + 2 * i, 2);
    return static_cast<int32_t>(bytes.little_endian(18 + 4 * i, 4));
  };
  const size_t bits = bytes.little_endian(os2 ? 24 : 28, 2),
               way = os2 ? 0 : bytes.little_endian(30, 4);
  check_bmp(header, bits, way);
  check(first >= 14 + header, "it is damaged: a BMP's pixels begin in its header");
  const bool top_down = extent(1) < 0;
  Image image{top_down ? -extent(1) : extent(1), extent(0), 3, {}};
  check_pixels(image.height, image.width, max_pixels);
  const auto width = static_cast<size_t>(image.width), height = static_cast<size_t>(image.height);
  const size_t row_bits = width * bits, stride = (row_bits + 31) / 32 * 4;
  check(first + stride * (height - 1) + (row_bits + 7) / 8 <= bytes.size(), "it is truncated");

  // Where the colours are in a pixel of 16 bits or more: the masks of the longer headers, or behind
  // the one of 40 bytes, have the same place.
  std::array<uint32_t, 3> masks{0xFF0000, 0xFF00, 0xFF};
  if (bits == 16) masks = {0x7C00, 0x03E0, 0x001F};
  for (size_t c = 0; c < 3 && way != 0; ++c) masks[c] = bytes.little_endian(54 + 4 * c, 4);
  check(std::ranges::count(masks, 0u) == 0, "it is damaged: a BMP has no bits for a colour");
  const size_t entry = os2 ? 3 : 4, colours = (first - 14 - header) / entry;  // of the palette

  image.pixels.reserve(3 * height * width);
  for (size_t y = 0; y < height; ++y) {
    const size_t row = first + stride * (top_down ? y : height - 1 - y);
    for (size_t x = 0; x < width; ++x) {
      const size_t at = row + x * bits / 8;
      if (bits <= 8) {
        const size_t index = bytes.all[at] >> (8 - bits - x * bits % 8) & ((1u << bits) - 1);
        check(index < colours, "it is damaged: a BMP's pixel is not in its palette");
        const auto blue = bytes.all.begin() + static_cast<int64_t>(14 + header + index * entry);
        image.pixels.insert(image.pixels.end(), {blue[2], blue[1], blue[0]});
        continue;
      }
      const uint32_t value = bytes.little_endian(at, bits / 8);
      for (const uint32_t mask : masks) {
        const int lowest = std::countr_zero(mask);
        image.pixels.push_back(to_byte((value & mask) >> lowest, mask >> lowest));
      }
    }
  }
  return image;
}

Image decode_pnm(const ImageBytes& bytes, int64_t max_pixels) {
  size_t at = 2;
  const auto number = [&] {
    uint8_t byte = bytes.byte(at++);
    for (; byte == '#' || is_blank(byte); byte = bytes.byte(at++))
      while (byte == '#' && bytes.byte(at) != '\n' && bytes.byte(at) != '\r') ++at;
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
