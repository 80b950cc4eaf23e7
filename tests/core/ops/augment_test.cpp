#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/ops/augment.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>

#include "tests/devices.h"

using namespace pade;

namespace {

struct Problem {
  Tensor pixels, edits, levels;
};

Tensor bytes(Rng& rng, const Shape& shape) { return rng.integers(shape, 0, 256).to(DType::uint8); }

Tensor levels_of(int64_t channels) {
  std::vector<float> levels;
  for (int64_t c = 0; c < channels; ++c)
    for (int value = 0; value < 256; ++value)
      levels.push_back(static_cast<float>((value - 100.0) / (c + 3)));
  return Tensor::from(levels, {channels, 256});
}

/// Edits of every kind: boxes and shifts reach beyond the image, boxes are empty or inside out.
Problem random_problem(const Shape& shape, int64_t boxes, uint64_t seed) {
  Rng rng(seed);
  const auto side = static_cast<int32_t>(std::max(shape[2], shape[3]));
  Tensor edits = rng.integers({shape[0], 7 + 4 * boxes}, -side / 2 - 1, side + side / 2 + 1);
  int32_t* row = edits.mutable_data<int32_t>();
  for (int64_t i = 0; i < shape[0]; ++i, row += 7 + 4 * boxes) {
    row[0] = static_cast<int32_t>(rng.below(2));
    row[1] -= side / 2;
    if (!row[0]) row[2] -= side / 2;
    if (i % 2) row[3] = row[4] = 0, row[5] = row[6] = side;
  }
  return {bytes(rng, shape), edits, levels_of(shape[1])};
}

/// What is beyond an edge is as far inside of it, again and again.
int64_t reflected(int64_t i, int64_t n) {
  if (n == 1) return 0;
  i %= 2 * (n - 1);
  while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
  return i;
}

/// The contract, pixel by pixel.
std::vector<float> expected(const Problem& p) {
  const int64_t channels = p.pixels.extent(1), h = p.pixels.extent(2), w = p.pixels.extent(3);
  const auto edits = p.edits.to_vector<int32_t>();
  const auto inside = [&](int64_t box, int64_t y, int64_t x) {
    return y >= edits[box] && y < edits[box + 2] && x >= edits[box + 1] && x < edits[box + 3];
  };
  std::vector<float> images;
  for (int64_t i = 0; i < p.pixels.extent(0); ++i)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < h; ++y)
        for (int64_t x = 0; x < w; ++x) {
          const int64_t row = i * p.edits.extent(1);
          bool erased = false;
          for (int64_t box = 7; box < p.edits.extent(1); box += 4)
            erased = erased || inside(row + box, y, x);
          const int64_t from_y = reflected(int64_t{edits[row + 1]} + y, h);
          const int64_t from_x = reflected(int64_t{edits[row + 2]} + (edits[row] ? -x : x), w);
          const bool shown = inside(row + 3, y, x);
          const double pixel = shown ? p.pixels.at({i, c, from_y, from_x}) : 0;
          images.push_back(
              erased ? 0.0f : static_cast<float>(p.levels.at({c, static_cast<int64_t>(pixel)})));
        }
  return images;
}

std::vector<float> result(const Problem& p, Device device) {
  const Tensor images = augment(p.pixels.to(device), p.edits.to(device), p.levels.to(device));
  REQUIRE(images.device() == device);
  REQUIRE(images.shape() == p.pixels.shape());
  REQUIRE(images.dtype() == DType::float32);
  return images.to_vector<float>();
}

}  // namespace

DEVICE_TEST_CASE("augment moves, mirrors, blackens and erases what the edits say") {
  uint64_t seed = 0;
  for (const Shape& shape : {Shape{5, 3, 8, 8}, Shape{9, 1, 7, 5}, Shape{4, 2, 1, 13},
                             Shape{3, 1, 20, 17}, Shape{2, 4, 1, 1}})
    for (const int64_t boxes : {0, 1, 3}) {
      const Problem p = random_problem(shape, boxes, ++seed);
      CHECK_MESSAGE(result(p, device) == expected(p), to_string(shape), ", boxes: ", boxes);
    }
}

DEVICE_TEST_CASE("augment of nothing, and of more than the largest grid takes at once") {
  for (const Shape& shape : {Shape{0, 3, 4, 4}, Shape{2, 0, 4, 4}, Shape{2, 3, 0, 4}})
    CHECK(result(random_problem(shape, 1, 1), device).empty());
  Problem p = random_problem({65540, 1, 1, 1}, 0, 2);
  CHECK(result(p, device) == expected(p));
  p = random_problem({1, 1, 530, 515}, 1, 3);  // more pixels than 1056 blocks have threads
  CHECK(result(p, device) == expected(p));
}

DEVICE_TEST_CASE("augment reads no pixel outside of the image, whatever the edits say") {
  const int32_t low = std::numeric_limits<int32_t>::min(),
                high = std::numeric_limits<int32_t>::max();
  std::vector<int32_t> rows;
  for (const int32_t mirrored : {0, 1})
    for (const int32_t y : {low, 0, high})
      for (const int32_t x : {low, -1, 2, high})
        rows.insert(rows.end(), {mirrored, y, x, low, low, high, high, high, high, low, low});
  Rng rng(4);
  const Problem p{bytes(rng, {24, 2, 3, 3}), Tensor::from(rows, {24, 11}), levels_of(2)};
  CHECK(result(p, device) == expected(p));
}

DEVICE_TEST_CASE("augment has the same bits for any number of threads") {
  const Problem p = random_problem({40, 3, 32, 32}, 2, 5);
  const int threads = num_threads();
  set_num_threads(1);
  const auto one = result(p, device);
  set_num_threads(3);
  const auto three = result(p, device);
  set_num_threads(threads);
  CHECK(one == three);
  CHECK(one == expected(p));
}

TEST_CASE("augment refuses what does not fit together") {
  const Problem p = random_problem({2, 3, 4, 4}, 1, 6);
  CHECK_THROWS_WITH_AS((void)augment(p.levels, p.edits, p.levels),
                       "augment: expected pixels of uint8 [B, C, H, W], got float32 [3, 256]",
                       Error);
  for (const Shape& shape : {Shape{2, 8}, Shape{2, 3}, Shape{3, 7}, Shape{14}})
    CHECK_THROWS_WITH_AS(
        (void)augment(p.pixels, Tensor::zeros(shape, DType::int32), p.levels),
        ("augment: expected edits of int32 [2, 7 + 4 R], got int32 " + to_string(shape)).c_str(),
        Error);
  CHECK_THROWS_WITH_AS((void)augment(p.pixels, p.edits, levels_of(2)),
                       "augment: expected levels of float32 [3, 256], got float32 [2, 256]", Error);
}
