#pragma once

#include <pade/data/image_bytes.h>
#include <pade/data/image_file.h>

namespace pade::data {

/// Decode images that are not compressed, to three channels. Both throw Error when the file is
/// damaged, truncated, of a kind that is not read, or has more than `max_pixels`.

/// A BMP of 1, 2, 4, 8, 16, 24 or 32 bits a pixel, bottom-up or top-down, with any of Windows'
/// headers or the first of OS/2; not those that are compressed.
Image decode_bmp(const ImageBytes& bytes, int64_t max_pixels);

/// A PPM or PGM in its binary form (P6, P5), with 8 or 16 bits a value.
Image decode_pnm(const ImageBytes& bytes, int64_t max_pixels);
/// Whether it begins as one.
bool is_pnm(const ImageBytes& bytes);

}  // namespace pade::data
