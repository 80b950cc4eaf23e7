#include <algorithm>
#include <cmath>
#include <utility>

#include <pade/data/image_file.h>

namespace pade::data {
namespace {

/// The weights with which the pixels `first`, first + 1, … of an axis make one of the result.
struct Taps {
  int64_t first;
  std::vector<double> weights;
};

/// Takes the mean over [output, output + 1) · from / to.
Taps area_taps(int64_t output, int64_t from, int64_t to) {
  // In units of 1/to of a pixel, to be exact.
  const int64_t begin = output * from, end = begin + from;
  Taps taps{begin / to, {}};
  for (int64_t pixel = taps.first; pixel * to < end; ++pixel) {
    const int64_t covered = std::min(end, (pixel + 1) * to) - std::max(begin, pixel * to);
    taps.weights.push_back(static_cast<double>(covered) / static_cast<double>(from));
  }
  return taps;
}

Taps linear_taps(int64_t output, int64_t from, int64_t to) {
  const auto length = static_cast<double>(from);
  const double centre =
      (static_cast<double>(output) + 0.5) * length / static_cast<double>(to) - 0.5;
  const double inside = std::clamp(centre, 0.0, length - 1);
  const auto first = static_cast<int64_t>(inside);
  const double second = inside - static_cast<double>(first);
  if (second == 0) return {first, {1}};
  return {first, {1 - second, second}};
}

std::vector<Taps> axis_taps(int64_t from, int64_t to) {
  std::vector<Taps> all;
  for (int64_t output = 0; output < to; ++output)
    all.push_back(from >= to ? area_taps(output, from, to) : linear_taps(output, from, to));
  return all;
}

/// Row y of the image, [width, channels], resized along x.
std::vector<double> narrowed_row(const Image& image, int64_t y, const std::vector<Taps>& columns) {
  const uint8_t* pixels = image.pixels.data() + y * image.width * image.channels;
  std::vector<double> values;
  values.reserve(columns.size() * static_cast<size_t>(image.channels));
  for (const Taps& taps : columns)
    for (int64_t c = 0; c < image.channels; ++c) {
      const uint8_t* pixel = pixels + taps.first * image.channels + c;
      double sum = 0;
      for (const double weight : taps.weights) {
        sum += weight * *pixel;
        pixel += image.channels;
      }
      values.push_back(sum);
    }
  return values;
}

}  // namespace

void resize_to_planes(const Image& image, Size2 size, uint8_t* to) {
  const std::vector<Taps> columns = axis_taps(image.width, size.w),
                          rows = axis_taps(image.height, size.h);
  // The two last narrowed rows are kept: neighbours in the result share at most two.
  std::pair<int64_t, std::vector<double>> kept[2]{{-1, {}}, {-1, {}}};
  for (int64_t y = 0; y < size.h; ++y) {
    std::vector<double> sums(static_cast<size_t>(size.w * image.channels));
    int64_t from = rows[y].first;
    for (const double weight : rows[y].weights) {
      auto& [row_y, row] = kept[from % 2];
      if (std::exchange(row_y, from) != from) row = narrowed_row(image, from, columns);
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += weight * row[i];
      ++from;
    }
    for (int64_t x = 0; x < size.w; ++x)
      for (int64_t c = 0; c < image.channels; ++c)
        to[(c * size.h + y) * size.w + x] =
            static_cast<uint8_t>(std::lround(sums[x * image.channels + c]));
  }
}

}  // namespace pade::data
