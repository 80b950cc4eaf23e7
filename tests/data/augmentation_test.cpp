#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <pade/core/error.h>
#include <pade/core/parallel.h>
#include <pade/data/loader.h>
#include <tests/data/noise_set.h>
#include <tests/devices.h>

using namespace pade;
using namespace pade::data;
using pade::testing::NoiseSet;

namespace {

using Batches = std::vector<std::vector<float>>;

const std::vector<Transform> kEverything{RandomCrop{.padding = 2}, HorizontalFlip{},
                                         Cutout{.size = 3}, RandomErasing{}};

Batches run(Loader& loader) {
  Batches batches;
  for (auto [images, labels] : loader) batches.push_back(images.to_vector<float>());
  return batches;
}

Batches run(const Dataset& set, const LoaderOptions& options) {
  Loader loader(set, options);
  return run(loader);
}

LoaderOptions options(int64_t prefetch = 2) {
  return {
      .batch_size = 7, .shuffle = true, .seed = 3, .prefetch = prefetch, .augment = kEverything};
}

/// What is done to an image is drawn from its own part of the epoch's stream.
std::vector<float> expected_image(const NoiseSet& set, int64_t index, uint64_t epoch) {
  Rng rng(3, "augment", epoch);
  rng.set_counter(static_cast<uint64_t>(index) << 32);
  std::vector<int32_t> row(7 + 4 * 2);
  ImageEdit edit(row, 8, 8);
  for (const Transform& transform : kEverything) transform.draw(edit, rng);
  return augment(set.pixels().slice(index, index + 1), Tensor::from(row, {1, 15}),
                 set.levels_tensor())
      .to_vector<float>();
}

}  // namespace

TEST_CASE("Loader augments each image by seed, epoch and index") {
  const NoiseSet set(23);
  Loader loader(set, options());
  Batches first;
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    const auto order = Rng(3, "shuffle", epoch).permutation(23);
    Batches expected(4);
    for (size_t i = 0; i < order.size(); ++i) {
      const auto image = expected_image(set, order[i], epoch);
      expected[i / 7].insert(expected[i / 7].end(), image.begin(), image.end());
    }
    const Batches batches = run(loader);
    CHECK(batches == expected);
    if (epoch == 0)
      first = batches;
    else
      CHECK(batches != first);
  }
  LoaderOptions alone = options();
  alone.batch_size = 1;
  alone.shuffle = false;
  alone.limit = 5;
  const Batches some = run(set, alone);
  REQUIRE(some.size() == 5);
  for (int64_t i = 0; i < 5; ++i) CHECK(some[i] == expected_image(set, i, 0));
}

TEST_CASE("augmented batches have the same bits with any prefetching and number of threads") {
  const NoiseSet set(40);
  const Batches expected = run(set, options(0));
  const int threads = num_threads();
  for (const int n : {1, 3}) {
    set_num_threads(n);
    for (const int64_t prefetch : {0, 1, 2, 50}) CHECK(run(set, options(prefetch)) == expected);
  }
  set_num_threads(threads);
}

TEST_CASE("augmented training resumes in the middle of an epoch") {
  const NoiseSet set(40);
  Loader straight(set, options());
  run(straight);
  Batches second = run(straight);
  const Batches third = run(straight);
  Loader resumed(set, options());
  resumed.set_epoch(1, 4);
  CHECK(run(resumed) == Batches(second.begin() + 4, second.end()));
  CHECK(run(resumed) == third);
}

TEST_CASE(
    "AlternatingFlip shows each image from both sides in any two epochs that follow another") {
  const NoiseSet set(400);
  const auto flipped = [&](int64_t epoch) {
    Loader loader(set, {.batch_size = 400, .seed = 5, .augment = {AlternatingFlip{}}});
    loader.set_epoch(epoch);
    const Tensor seen = loader.begin()->images,
                 plain = Loader(set, {.batch_size = 400}).begin()->images;
    std::vector<bool> is;
    for (int64_t i = 0; i < 400; ++i) {
      bool same = true, mirrored = true;
      for (int64_t y = 0; y < 8; ++y)
        for (int64_t x = 0; x < 8; ++x) {
          same = same && seen.at({i, 0, y, x}) == plain.at({i, 0, y, x});
          mirrored = mirrored && seen.at({i, 0, y, x}) == plain.at({i, 0, y, 7 - x});
        }
      REQUIRE(same != mirrored);
      is.push_back(mirrored);
    }
    return is;
  };
  const std::vector<bool> first = flipped(0);
  const auto number = std::count(first.begin(), first.end(), true);
  CHECK(std::abs(number - 200) <= 45);  // 4.5 deviations
  std::vector<bool> others = first;
  others.flip();
  CHECK(flipped(1) == others);
  CHECK(flipped(2) == first);
  CHECK(flipped(7) == others);
}

DEVICE_TEST_CASE("augmented batches have the same bits on every device, wherever they are made") {
  const NoiseSet set(40);
  for (const bool augmented : {true, false}) {
    LoaderOptions here = options();
    if (!augmented) here.augment.clear();
    const Batches expected = run(set, here);
    for (const bool on_device : {false, true})
      for (const int64_t prefetch : {0, 2}) {
        LoaderOptions there = here;
        there.prefetch = prefetch;
        there.device = device;
        there.augment_on_device = on_device;
        Loader loader(set, there);
        for (const Batch& batch : loader) {
          CHECK(batch.images.device() == device);
          CHECK(batch.images.dtype() == DType::float32);
          CHECK(batch.labels.device() == device);
        }
        loader.set_epoch(0);
        CHECK(run(loader) == expected);
        loader.set_epoch(0, 3);
        CHECK(run(loader) == Batches(expected.begin() + 3, expected.end()));
      }
  }
}

TEST_CASE("a transform of one's own is one among others") {
  struct MoveDown {
    int64_t by = 1;
    int erased_boxes() const { return 0; }
    void validate() const { check(by >= 0, "move_down: ", by, " is negative"); }
    void draw(ImageEdit& edit, Rng&) const { edit.shift(-by, 0); }
    std::string describe() const { return "move_down(by=" + std::to_string(by) + ")"; }
  };
  const NoiseSet set(1);
  const Batches moved =
      run(set, {.prefetch = 0, .augment = {HorizontalFlip{.p = 0}, MoveDown{.by = 2}}});
  const Batches plain = run(set, {.prefetch = 0});
  for (int64_t i = 0; i < 3 * 64; ++i)
    CHECK(moved[0][i] == (i % 64 < 16 ? set.levels()[i / 64 * 256] : plain[0][i - 16]));
  CHECK_THROWS_WITH_AS(run(set, {.augment = {MoveDown{.by = -1}}}), "move_down: -1 is negative",
                       Error);
}
