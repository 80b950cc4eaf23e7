#pragma once

#include <cstdint>

#include <pade/core/size2.h>
#include <pade/data/image_file.h>

namespace pade::data {

/// Writes the whole image in another size, one plane per channel: `to` gets [channels, size.h,
/// size.w]. Along each axis on its own, a pixel is the mean over the area that it covers where the
/// image shrinks, and interpolated linearly between the nearest centres where it grows. Rounded.
void resize_to_planes(const Image& image, Size2 size, uint8_t* to);

}  // namespace pade::data
