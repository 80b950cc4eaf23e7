// Photographs: PNG, JPEG and BMP.

#include <filesystem>

#include <pade/data/image_file.h>

#include "fuzz.h"

using namespace pade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kMostPixels = 1 << 16;
  const std::filesystem::path path = fuzz::file_with(fuzz::text_of(data, size));
  for (const int64_t channels : {1, 3})
    fuzz::accepts([&] {
      const data::Image image = data::read_image(path, channels, kMostPixels);
      fuzz::require(
          image.channels == channels && image.height * image.width <= kMostPixels &&
              static_cast<int64_t>(image.pixels.size()) == image.height * image.width * channels,
          "an image has the pixels that it speaks of, and not too many");
    });
  return 0;
}
