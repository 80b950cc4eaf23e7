#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/random.h>
#include <pade/core/storage.h>
#include <pade/data/loader.h>
#include <tests/data/synthetic_set.h>
#include <tests/devices.h>

using namespace pade;
using data::Batch;
using data::Loader;
using data::LoaderOptions;
using pade::testing::SyntheticSet;

namespace {

/// Every bit of an epoch.
struct Epoch {
  std::vector<std::vector<float>> images;
  std::vector<std::vector<int32_t>> labels;
  bool operator==(const Epoch&) const = default;
};

Epoch run(Loader& loader) {
  Epoch epoch;
  for (auto [images, labels] : loader) {
    epoch.images.push_back(images.to_vector<float>());
    epoch.labels.push_back(labels.to_vector<int32_t>());
  }
  return epoch;
}

Epoch run(Loader&& loader) { return run(loader); }

Epoch without_first(Epoch epoch, int batches) {
  epoch.images.erase(epoch.images.begin(), epoch.images.begin() + batches);
  epoch.labels.erase(epoch.labels.begin(), epoch.labels.begin() + batches);
  return epoch;
}

}  // namespace

TEST_CASE("Loader gives every image once, in order, the last batch shorter") {
  const SyntheticSet set(23);
  std::vector<int64_t> sizes;
  int64_t index = 0;
  for (auto [images, labels] : Loader(set, {.batch_size = 5})) {
    const int64_t count = images.extent(0);
    CHECK(images.shape() == Shape{count, 2, 2, 3});
    CHECK(labels.shape() == Shape{count});
    sizes.push_back(count);
    for (int64_t i = 0; i < count; ++i, ++index) {
      std::vector<float> expected(12);
      int32_t label = -1;
      set.load(index, expected.data(), label);
      CHECK(images[i].to_vector<float>() == expected);
      CHECK(labels.data<int32_t>()[i] == label);
    }
  }
  CHECK(sizes == std::vector<int64_t>{5, 5, 5, 5, 3});
}

TEST_CASE("Loader's sizes") {
  const SyntheticSet set(23);
  const auto sizes = [&](LoaderOptions options) {
    Loader loader(set, options);
    const auto batches = static_cast<int64_t>(run(loader).labels.size());
    CHECK(batches == loader.size());
    return std::pair(loader.size(), loader.images());
  };
  CHECK(sizes({.batch_size = 5}) == std::pair<int64_t, int64_t>(5, 23));
  CHECK(sizes({.batch_size = 5, .drop_last = true}) == std::pair<int64_t, int64_t>(4, 20));
  CHECK(sizes({.batch_size = 23, .drop_last = true}) == std::pair<int64_t, int64_t>(1, 23));
  CHECK(sizes({.batch_size = 24, .drop_last = true}) == std::pair<int64_t, int64_t>(0, 0));
  CHECK(sizes({.batch_size = 24}) == std::pair<int64_t, int64_t>(1, 23));
  CHECK(sizes({.batch_size = 5, .limit = 12}) == std::pair<int64_t, int64_t>(3, 12));
  CHECK(sizes({.batch_size = 5, .drop_last = true, .limit = 12}) ==
        std::pair<int64_t, int64_t>(2, 10));
  CHECK(sizes({.batch_size = 5, .limit = 1000}) == std::pair<int64_t, int64_t>(5, 23));
  const SyntheticSet nothing(0);
  CHECK(Loader(nothing).size() == 0);
  CHECK(run(Loader(nothing)) == Epoch{});
}

TEST_CASE("Loader shuffles by seed and epoch, within the limit") {
  const SyntheticSet set(1000);
  const LoaderOptions options{.batch_size = 7, .shuffle = true, .seed = 3, .limit = 40};
  Loader loader(set, options);
  std::vector<Epoch> epochs;
  for (int64_t e = 0; e < 3; ++e) {
    CHECK(loader.epoch() == e);
    epochs.push_back(run(loader));
    const std::vector<int64_t> order = Rng(3, "shuffle", static_cast<uint64_t>(e)).permutation(40);
    std::vector<int32_t> expected, got;
    for (const int64_t index : order) expected.push_back(static_cast<int32_t>(index % 10));
    for (const auto& labels : epochs.back().labels)
      got.insert(got.end(), labels.begin(), labels.end());
    CHECK(got == expected);
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[1] != epochs[2]);

  Loader again(set, options);
  again.set_epoch(2);
  CHECK(run(again) == epochs[2]);
  again.set_epoch(0);
  CHECK(run(again) == epochs[0]);
  CHECK(run(again) == epochs[1]);

  LoaderOptions other = options;
  other.seed = 4;
  CHECK(run(Loader(set, other)) != epochs[0]);

  other.seed.reset();
  manual_seed(3);
  CHECK(run(Loader(set, other)) == epochs[0]);
  CHECK(run(Loader(set, other)) == epochs[0]);
  manual_seed(0);
}

DEVICE_TEST_CASE("Loader gives the same bits on every device") {
  const SyntheticSet set(50);
  const Epoch expected = run(Loader(set, {.batch_size = 7, .shuffle = true, .seed = 3}));
  for (const int64_t prefetch : {0, 2}) {
    Loader loader(
        set, {.batch_size = 7, .shuffle = true, .seed = 3, .prefetch = prefetch, .device = device});
    for (const Batch& batch : loader) CHECK(batch.images.device() == device);
    loader.set_epoch(0);
    CHECK(run(loader) == expected);
    // Many batches at once: what one travels in must not be used for the next too early.
    loader.set_epoch(0);
    std::vector<Batch> batches;
    for (const Batch& batch : loader) batches.push_back(batch);
    Epoch kept;
    for (const Batch& batch : batches) {
      kept.images.push_back(batch.images.to_vector<float>());
      kept.labels.push_back(batch.labels.to_vector<int32_t>());
    }
    CHECK(kept == expected);
  }
  for (const Batch& batch : Loader(set, {.batch_size = 7, .device = device})) {
    CHECK(batch.labels.extent(0) == 7);
    break;  // the next one is on its way
  }
}

TEST_CASE("Loader gives the same bits with any prefetching") {
  const SyntheticSet set(101);
  LoaderOptions options{.batch_size = 8, .shuffle = true, .seed = 1, .prefetch = 0};
  const Epoch expected = run(Loader(set, options));
  for (const int64_t prefetch : {1, 2, 5, 100}) {
    options.prefetch = prefetch;
    CHECK(run(Loader(set, options)) == expected);
  }
}

TEST_CASE("Loader resumes in the middle of an epoch") {
  const SyntheticSet set(50);
  for (const int64_t prefetch : {0, 2}) {
    const LoaderOptions options{.batch_size = 8, .shuffle = true, .seed = 5, .prefetch = prefetch};
    Loader straight(set, options);
    run(straight);
    const Epoch second = run(straight);
    const Epoch third = run(straight);
    Loader resumed(set, options);
    resumed.set_epoch(1, 4);
    CHECK(run(resumed) == without_first(second, 4));
    CHECK(run(resumed) == third);
    resumed.set_epoch(1, 7);  // its end
    CHECK(run(resumed) == Epoch{});
    CHECK(resumed.epoch() == 2);
  }
}

TEST_CASE("Loader can be left early, and several loops can run at once") {
  const SyntheticSet set(100);
  Loader loader(set, {.batch_size = 10, .shuffle = true, .seed = 1});
  const Epoch first = run(loader);
  const Epoch second = run(loader);
  loader.set_epoch(0);
  int batches = 0;
  for (const Batch& batch : loader) {
    CHECK(batch.labels.to_vector<int32_t>() == first.labels[batches]);
    if (++batches == 3) break;
  }
  CHECK(run(loader) == second);
  for (int i = 0; i < 20; ++i)
    for (const Batch& batch : loader) {
      CHECK(batch.labels.size() == 10);
      break;
    }

  loader.set_epoch(0);
  auto a = loader.begin();
  auto b = loader.begin();
  CHECK(a->labels.to_vector<int32_t>() == first.labels[0]);
  CHECK(b->labels.to_vector<int32_t>() == second.labels[0]);
  ++a;
  CHECK(a->labels.to_vector<int32_t>() == first.labels[1]);
}

DEVICE_TEST_CASE("an exception in the dataset surfaces in the loop, after the batches before it") {
  SyntheticSet set(100);
  set.unreadable = 57;
  for (const int64_t prefetch : {0, 1, 3}) {
    Loader loader(set, {.batch_size = 10, .prefetch = prefetch, .device = device});
    int batches = 0;
    const auto loop = [&] {
      for (const Batch& batch : loader) batches += batch.labels.size() == 10;
    };
    CHECK_THROWS_WITH_AS(loop(), "image 57 is unreadable", Error);
    CHECK(batches == 5);
  }
  set.unreadable = 0;
  Loader loader(set);
  CHECK_THROWS_WITH_AS((void)loader.begin(), "image 0 is unreadable", Error);
}

TEST_CASE("Loader's batches can be kept, and their memory is reused when they are not") {
  const SyntheticSet set(64);
  Loader loader(set, {.batch_size = 8});
  const Epoch expected = run(loader);
  std::vector<Batch> kept;
  for (const Batch& batch : loader) kept.push_back(batch);
  for (size_t i = 0; i < kept.size(); ++i)
    CHECK(kept[i].images.to_vector<float>() == expected.images[i]);
  kept.clear();

  const uint64_t before = allocator_stats().system_allocations;
  for (int epoch = 0; epoch < 5; ++epoch) run(loader);
  CHECK(allocator_stats().system_allocations == before);
}

TEST_CASE("Loader refuses options that make no sense") {
  const SyntheticSet set(10);
  CHECK_THROWS_WITH_AS(Loader(set, {.batch_size = 0}),
                       "Loader: batch_size is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(Loader(set, {.limit = 0}), "Loader: limit is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(Loader(set, {.prefetch = -1}), "Loader: prefetch is -1, expected at least 0",
                       Error);
  Loader loader(set, {.batch_size = 5});
  CHECK_THROWS_WITH_AS(loader.set_epoch(-1), "Loader: epoch -1 is negative", Error);
  CHECK_THROWS_WITH_AS(loader.set_epoch(0, 3), "Loader: batch 3 is out of range; an epoch has 2",
                       Error);
}

TEST_CASE("the parts of all ranks together are the batches of one") {
  const SyntheticSet set(23);
  const LoaderOptions alone{
      .batch_size = 6, .shuffle = true, .seed = 4, .augment = {data::HorizontalFlip{}}};
  const Epoch whole = run(Loader(set, alone));
  for (const auto& [ranks, parts] :
       {std::pair<int64_t, int64_t>(1, 2), {2, 1}, {3, 1}, {3, 2}, {1, 6}}) {
    CAPTURE(ranks);
    CAPTURE(parts);
    Epoch joined{std::vector<std::vector<float>>(4), std::vector<std::vector<int32_t>>(4)};
    std::vector<double> shares(4, 0.0);
    for (int64_t rank = 0; rank < ranks; ++rank) {
      LoaderOptions options = alone;
      options.ranks = ranks;
      options.rank = rank;
      options.parts = parts;
      Loader loader(set, options);
      CHECK(loader.size() == 4);
      CHECK(loader.images() == 23);
      size_t batch = 0;
      for (auto [images, labels] : loader) {
        const BatchPart& part = loader.part();
        shares[batch] += part.share;
        if (part.share > 0) {  // of six parts of the last five images one is empty
          CHECK(part.share == labels.size() / (batch == 3 ? 5.0 : 6.0));
          for (const float value : images.to_vector<float>()) joined.images[batch].push_back(value);
          for (const int32_t label : labels.to_vector<int32_t>())
            joined.labels[batch].push_back(label);
        }
        batch += part.last;
      }
      CHECK(batch == 4);
    }
    CHECK(joined == whole);
    for (const double share : shares) CHECK(share == doctest::Approx(1));
  }
}

TEST_CASE("a batch with fewer samples than parts gives some a sample of no weight") {
  const SyntheticSet set(9);
  int64_t counted = 0;
  for (int64_t rank = 0; rank < 4; ++rank) {
    Loader loader(set, {.batch_size = 8, .ranks = 4, .rank = rank, .parts = 2});
    std::vector<double> shares;
    for (auto [images, labels] : loader) {
      CHECK(labels.size() == 1);
      shares.push_back(loader.part().share);
    }
    REQUIRE(shares.size() == 4);
    CHECK(shares[0] == 1 / 8.0);
    for (size_t i = 2; i < 4; ++i) {
      CHECK((shares[i] == 0 || shares[i] == 1));
      counted += shares[i] == 1;
    }
  }
  CHECK(counted == 1);
}

TEST_CASE("parts can be resumed at any batch") {
  const SyntheticSet set(23);
  const LoaderOptions options{
      .batch_size = 6, .shuffle = true, .seed = 4, .ranks = 2, .rank = 1, .parts = 3};
  const Epoch whole = run(Loader(set, options));
  CHECK(whole.labels.size() == 12);
  Loader loader(set, options);
  loader.set_epoch(0, 2);
  const auto first = loader.begin();
  CHECK(loader.part().first);
  CHECK_FALSE(loader.part().last);
  CHECK(first->labels.to_vector<int32_t>() == whole.labels[6]);
}

TEST_CASE("Loader refuses ranks and parts that make no sense") {
  const SyntheticSet set(23);
  const auto make = [&](int64_t ranks, int64_t rank, int64_t parts) {
    Loader(set, {.batch_size = 6, .ranks = ranks, .rank = rank, .parts = parts});
  };
  CHECK_THROWS_WITH_AS(make(0, 0, 1), "Loader: expected at least one rank and part, got 0 and 1",
                       Error);
  CHECK_THROWS_WITH_AS(make(1, 0, 0), "Loader: expected at least one rank and part, got 1 and 0",
                       Error);
  CHECK_THROWS_WITH_AS(make(2, 2, 1), "Loader: rank 2 is not one of 2", Error);
  CHECK_THROWS_WITH_AS(make(2, -1, 1), "Loader: rank -1 is not one of 2", Error);
  CHECK_THROWS_WITH_AS(make(4, 0, 2),
                       "Loader: batches of 6 are too few samples for 4 ranks with 2 parts each",
                       Error);
}
