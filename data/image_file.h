#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <pade/core/size2.h>

namespace pade::data {

/// Bytes [height, width, channels], as files have them.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

/// Decodes a PNG, JPEG, BMP, PPM or PGM file: its contents say which, its name does not count. One
/// channel is brightness, three are red, green and blue; an alpha channel is left out, 16 bits are
/// made 8, and a rotation that a camera has noted is not carried out.
///
/// Throws Error, with the reason but without the path, when it cannot be read, is damaged or
/// truncated, is another format or a variant that is not read (which it names: a JPEG with
/// arithmetic coding, a BMP with RLE compression, a PNG with several frames, …), or has more than
/// `max_pixels`: that is looked at before anything is decoded, and memory stays in proportion to
/// what the header says.
Image read_image(const std::filesystem::path& path, int64_t channels, int64_t max_pixels);

/// Writes the whole image in another size, one plane per channel: `to` gets [channels, size.h,
/// size.w]. Along each axis on its own, a pixel is the mean over the area that it covers where the
/// image shrinks, and interpolated linearly between the nearest centres where it grows. Rounded.
void resize_to_planes(const Image& image, Size2 size, uint8_t* to);

}  // namespace pade::data
