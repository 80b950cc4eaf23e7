#pragma once

#include <pade/data/image_bytes.h>

namespace pade::data {

/// Checks a JPEG's markers, its frame and that its tables are there, and removes from `bytes` what
/// may lie between the markers and has no meaning: stray bytes, fill bytes, and what follows the
/// end of the image. A decoder sees nothing then that has not been checked, and need not cope with
/// it.
///
/// Throws Error when it is damaged, truncated, too large, or a kind that stb_image does not decode.
void clean_jpeg(ImageBytes& bytes, int64_t max_pixels);

}  // namespace pade::data
