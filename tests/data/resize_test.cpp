#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <pade/core/random.h>
#include <pade/data/image_file.h>

using namespace pade;
using data::Image;

namespace {

Image noise(int64_t height, int64_t width, int64_t channels, uint64_t seed) {
  Rng rng(seed);
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i)
    image.pixels.push_back(static_cast<uint8_t>(rng.below(256)));
  return image;
}

/// A pixel of the axis in whose units `count` outputs cover `from` pixels, sample by sample: each
/// pixel is repeated `count` times, and `from` samples make an output.
double mean_over_area(const Image& image, Size2 size, int64_t c, int64_t y, int64_t x) {
  double sum = 0;
  for (int64_t i = 0; i < image.height; ++i)
    for (int64_t j = 0; j < image.width; ++j) {
      const int64_t row = (y * image.height + i) / size.h, column = (x * image.width + j) / size.w;
      sum += image.pixels[(row * image.width + column) * image.channels + c];
    }
  return sum / static_cast<double>(image.height * image.width);
}

double interpolated(const Image& image, Size2 size, int64_t c, int64_t y, int64_t x) {
  const auto place = [](int64_t output, int64_t from, int64_t to) {
    return std::clamp((output + 0.5) * from / to - 0.5, 0.0, from - 1.0);
  };
  const double row = place(y, image.height, size.h), column = place(x, image.width, size.w);
  double sum = 0;
  for (int64_t i = 0; i < image.height; ++i)
    for (int64_t j = 0; j < image.width; ++j)
      sum += std::max(0.0, 1 - std::abs(row - i)) * std::max(0.0, 1 - std::abs(column - j)) *
             image.pixels[(i * image.width + j) * image.channels + c];
  return sum;
}

template <class Reference>
void compare(const Image& image, Size2 size, Reference&& reference) {
  std::vector<uint8_t> planes(static_cast<size_t>(image.channels * size.area()));
  data::resize_to_planes(image, size, planes.data());
  double largest = 0;
  for (int64_t c = 0; c < image.channels; ++c)
    for (int64_t y = 0; y < size.h; ++y)
      for (int64_t x = 0; x < size.w; ++x)
        largest = std::max(largest, std::abs(planes[(c * size.h + y) * size.w + x] -
                                             reference(image, size, c, y, x)));
  CHECK_MESSAGE(largest <= 0.5 + 1e-9, image.height, "×", image.width, " to ", size.h, "×", size.w);
}

}  // namespace

TEST_CASE("shrinking takes the mean over the area of each pixel") {
  uint64_t seed = 0;
  for (const Size2& from : {Size2(12, 8), Size2(7, 5), Size2(40, 31), Size2(4, 3)})
    for (const Size2& to : {Size2(4, 3), Size2(1), Size2(3, 2)})
      for (const int64_t channels : {1, 3})
        compare(noise(from.h, from.w, channels, ++seed), to, mean_over_area);
}

TEST_CASE("enlarging interpolates between the centres of pixels") {
  uint64_t seed = 100;
  for (const Size2& from : {Size2(1), Size2(2, 3), Size2(5, 4)})
    for (const Size2& to : {Size2(5, 4), Size2(8, 9), Size2(31, 17)})
      compare(noise(from.h, from.w, 3, ++seed), to, interpolated);
}

TEST_CASE("an image of the right size stays as it is, in planes") {
  const Image image = noise(6, 7, 3, 1);
  std::vector<uint8_t> planes(3 * 42);
  data::resize_to_planes(image, {6, 7}, planes.data());
  for (int64_t i = 0; i < 42; ++i)
    for (int64_t c = 0; c < 3; ++c) CHECK(planes[c * 42 + i] == image.pixels[3 * i + c]);
}

TEST_CASE("each axis goes its own way") {
  // Twice as wide, half as high: columns are interpolated between the means of rows.
  const Image image{2, 2, 1, {10, 20, 30, 60}};
  std::vector<uint8_t> planes(4);
  data::resize_to_planes(image, {1, 4}, planes.data());
  CHECK(planes == std::vector<uint8_t>{20, 25, 35, 40});
}
