#include <algorithm>
#include <cmath>
#include <vector>

#include <pade/data/resize.h>

namespace pade::data {
namespace {

/// Which pixels of an axis make one of the result: weights for `first`, first + 1, …
struct Taps {
  int64_t first;
  std::vector<double> weights;
};

/// The mean over [output, output + 1) · from / to.
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
  const double centre =
      (static_cast<double>(output) + 0.5) * static_cast<double>(from) / static_cast<double>(to) -
      0.5;
  const double inside = std::clamp(centre, 0.0, static_cast<double>(from - 1));
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

/// Rows of the image, each resized along x when it is first needed. The two last ones are kept:
/// neighbours in the result share at most two.
class NarrowedRows {
 public:
  NarrowedRows(const Image& image, int64_t width)
      : image_(image), columns_(axis_taps(image.width, width)) {}

  /// [width, channels]
  const std::vector<double>& row(int64_t y) {
    Row& kept = rows_[y % 2];
    if (kept.y != y) kept = {y, narrow(y)};
    return kept.values;
  }

 private:
  struct Row {
    int64_t y = -1;
    std::vector<double> values;
  };

  std::vector<double> narrow(int64_t y) const {
    const int64_t channels = image_.channels;
    const uint8_t* pixels = image_.pixels.data() + y * image_.width * channels;
    std::vector<double> values(columns_.size() * static_cast<size_t>(channels));
    double* value = values.data();
    for (const Taps& taps : columns_)
      for (int64_t c = 0; c < channels; ++c, ++value) {
        const uint8_t* pixel = pixels + taps.first * channels + c;
        for (const double weight : taps.weights) {
          *value += weight * *pixel;
          pixel += channels;
        }
      }
    return values;
  }

  const Image& image_;
  std::vector<Taps> columns_;
  Row rows_[2];
};

}  // namespace

void resize_to_planes(const Image& image, Size2 size, uint8_t* to) {
  NarrowedRows narrowed(image, size.w);
  const std::vector<Taps> rows = axis_taps(image.height, size.h);
  std::vector<double> sums(static_cast<size_t>(size.w * image.channels));
  for (int64_t y = 0; y < size.h; ++y) {
    std::fill(sums.begin(), sums.end(), 0.0);
    int64_t from = rows[y].first;
    for (const double weight : rows[y].weights) {
      const std::vector<double>& row = narrowed.row(from++);
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += weight * row[i];
    }
    for (int64_t x = 0; x < size.w; ++x)
      for (int64_t c = 0; c < image.channels; ++c)
        to[(c * size.h + y) * size.w + x] =
            static_cast<uint8_t>(std::lround(sums[x * image.channels + c]));
  }
}

}  // namespace pade::data
