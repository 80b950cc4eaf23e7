#include <doctest/doctest.h>

#include <array>
#include <utility>

#include <tests/data/synthetic_set.h>

using namespace pade;
using pade::testing::SyntheticSet;

TEST_CASE("Dataset::load normalises with the mean and deviation of the channel") {
  const SyntheticSet set(100);
  std::array<float, 12> image;
  int32_t label = -1;
  set.load(93, image.data(), label);
  CHECK(label == 3);
  for (int i = 0; i < 12; ++i) {
    const double pixel = (7 * 93 + 11 * i) % 256;
    const double expected = i < 6 ? (pixel / 255 - 0.25) / 0.5 : (pixel / 255 - 0.5) / 0.125;
    CHECK(image[i] == static_cast<float>(expected));
  }
  CHECK_THROWS_WITH_AS(set.load(100, image.data(), label),
                       "synthetic: image 100 is out of range; there are 100", Error);
  CHECK_THROWS_AS(set.load(-1, image.data(), label), Error);
}

TEST_CASE("a Dataset must describe its images consistently") {
  class Described : public data::Dataset {
   public:
    explicit Described(data::DatasetInfo info) : Dataset(std::move(info)) {}
    int64_t size() const override { return 0; }
    int32_t read(int64_t, uint8_t*) const override { return 0; }
  };
  CHECK_THROWS_WITH_AS(Described({"a", {28, 28}, 10, {0}, {1}}),
                       "a: expected images [channels, height, width], got [28, 28]", Error);
  CHECK_THROWS_WITH_AS(Described({"a", {3, 8, 8}, 10, {0}, {1, 1, 1}}),
                       "a: 3 channels want as many means and standard deviations, got 1 and 3",
                       Error);
  CHECK_THROWS_WITH_AS(Described({"a", {1, 8, 8}, 10, {0}, {0}}),
                       "a: the standard deviation of channel 0 is 0, expected above 0", Error);
  CHECK_THROWS_WITH_AS(Described({"a", {1, 8, 8}, 3, {0}, {1}, {"ant", "bee"}}),
                       "a: 3 classes want as many names, got 2", Error);
  CHECK(Described({"a", {1, 8, 8}, 2, {0}, {1}, {"ant", "bee"}}).class_names()[1] == "bee");
  CHECK(Described({"a", {1, 8, 8}, 11, {0}, {1}}).class_names()[10] == "10");
}
