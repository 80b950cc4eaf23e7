#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <pade/core/error.h>
#include <pade/data/transforms.h>
#include <tests/data/noise_set.h>

using namespace pade;
using namespace pade::data;
using pade::testing::NoiseSet;

namespace {

/// The channels of one image, as the network sees them.
struct Picture {
  int64_t h = 0, w = 0;
  std::vector<float> values;  // [3, h, w]
  bool operator==(const Picture&) const = default;

  float& at(int64_t c, int64_t y, int64_t x) { return values[(c * h + y) * w + x]; }
  float at(int64_t c, int64_t y, int64_t x) const { return values[(c * h + y) * w + x]; }
};

/// Makes a picture of `f(c, y, x)`.
template <class F>
Picture picture(int64_t h, int64_t w, F&& f) {
  Picture result{h, w, {}};
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < h; ++y)
      for (int64_t x = 0; x < w; ++x) result.values.push_back(f(c, y, x));
  return result;
}

/// What a transform is tried on.
struct Subject {
  explicit Subject(int64_t h, int64_t w) : set(1, h, w) {
    plain = picture(h, w, [&](int64_t c, int64_t y, int64_t x) {
      return set.levels()[c * 256 + static_cast<int64_t>(set.pixels().at({0, c, y, x}))];
    });
  }

  float black(int64_t c) const { return set.levels()[c * 256]; }

  Picture carried_out(const std::vector<int32_t>& row) const {
    const auto fields = static_cast<int64_t>(row.size());
    return {plain.h, plain.w,
            augment(set.pixels(), Tensor::from(row, {1, fields}), set.levels_tensor())
                .to_vector<float>()};
  }

  Picture after(const Transform& transform, Rng& rng) const {
    std::vector<int32_t> row(7 + 4 * transform.erased_boxes());
    ImageEdit edit(row, plain.h, plain.w);
    transform.draw(edit, rng);
    return carried_out(row);
  }

  NoiseSet set;
  Picture plain;
};

/// The box of zeros, which must be all of the difference to the plain image; none where there is no
/// difference.
std::optional<Box> erased_box(const Subject& subject, const Picture& changed) {
  std::optional<Box> box;
  for (int64_t y = 0; y < changed.h; ++y)
    for (int64_t x = 0; x < changed.w; ++x) {
      if (changed.at(0, y, x) == subject.plain.at(0, y, x)) continue;
      if (!box) box = Box{y, x, y, x};
      box = Box{box->top, std::min(box->left, x), y + 1, std::max(box->right, x + 1)};
    }
  const Picture expected = picture(changed.h, changed.w, [&](int64_t c, int64_t y, int64_t x) {
    const bool inside = box && y >= box->top && y < box->bottom && x >= box->left && x < box->right;
    return inside ? 0.0f : subject.plain.at(c, y, x);
  });
  CHECK(changed == expected);
  return box;
}

/// What is beyond an edge is as far inside of it.
int64_t reflected(int64_t i, int64_t n) {
  while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
  return n > 1 ? i : 0;
}

/// Whether every one of `values` numbers came up as often as it should within 4.5 deviations.
template <class Key>
bool is_uniform(const std::map<Key, int>& counts, size_t values, int draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(values);
  return counts.size() == values &&
         std::all_of(counts.begin(), counts.end(), [&](const auto& count) {
           return std::abs(count.second - expected) < 4.5 * std::sqrt(expected);
         });
}

}  // namespace

TEST_CASE("changes of an image are composed in their order") {
  for (const auto& [h, w] : {std::pair<int64_t, int64_t>{7, 7}, {5, 9}, {1, 4}}) {
    const Subject subject(h, w);
    Rng rng(static_cast<uint64_t>(h));
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<int32_t> row(7 + 4 * 4);
      ImageEdit edit(row, h, w);
      Picture expected = subject.plain;
      int erased = 0;
      bool shifted = false;
      for (uint64_t steps = rng.below(7); steps > 0; --steps) {
        const Picture before = expected;
        const auto number = [&](int64_t low, int64_t high) {
          return low + static_cast<int64_t>(rng.below(static_cast<uint64_t>(high - low)));
        };
        const uint64_t kind = rng.below(erased < 4 ? 3 : 2);
        if (kind == 0) {
          const int64_t dy = number(-h, h + 1), dx = number(-2, 3);
          if (!shifted && erased == 0 && rng.below(2)) {
            edit.shift(dy, dx, Border::reflected);
            expected = picture(h, w, [&](int64_t c, int64_t y, int64_t x) {
              return before.at(c, reflected(y + dy, h), reflected(x + dx, w));
            });
            shifted = true;
            continue;
          }
          shifted = true;
          edit.shift(dy, dx);
          expected = picture(h, w, [&](int64_t c, int64_t y, int64_t x) {
            const bool inside = y + dy >= 0 && y + dy < h && x + dx >= 0 && x + dx < w;
            return inside ? before.at(c, y + dy, x + dx) : subject.black(c);
          });
        } else if (kind == 1) {
          edit.mirror();
          expected = picture(
              h, w, [&](int64_t c, int64_t y, int64_t x) { return before.at(c, y, w - 1 - x); });
        } else {
          const int64_t top = number(-2, h), left = number(-2, w);
          const Box box{top, left, top + number(0, 4), left + number(0, 4)};
          edit.erase(box);
          ++erased;
          for (int64_t c = 0; c < 3; ++c)
            for (int64_t y = std::max<int64_t>(0, box.top); y < std::min(h, box.bottom); ++y)
              for (int64_t x = std::max<int64_t>(0, box.left); x < std::min(w, box.right); ++x)
                expected.at(c, y, x) = 0;
        }
      }
      CHECK(subject.carried_out(row) == expected);
    }
  }
}

TEST_CASE("an ImageEdit refuses rows and changes that do not fit") {
  std::vector<int32_t> row(11);
  CHECK_THROWS_WITH_AS(ImageEdit({row.data(), 10}, 4, 4),
                       "ImageEdit: expected a row of 7 + 4 R numbers, got 10", Error);
  ImageEdit edit(row, 4, 4);
  edit.erase({0, 0, 1, 1});
  CHECK_THROWS_WITH_AS(
      edit.erase({0, 0, 1, 1}),
      "ImageEdit: the row has place for 1 boxes to erase, and one more was asked for", Error);
  CHECK_THROWS_AS(edit.shift(0, int64_t{1} << 40), Error);
  CHECK_THROWS_WITH_AS(
      edit.shift(0, 1, Border::reflected),
      "ImageEdit: a shift that reflects comes before other shifts and erased boxes", Error);
}

TEST_CASE("RandomCrop crops the padded image anywhere") {
  constexpr int64_t kPadding = 3;
  const Subject subject(8, 6);
  Rng rng(1);
  std::map<std::pair<int64_t, int64_t>, int> places;
  constexpr int kDraws = 4900;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Picture cropped = subject.after(RandomCrop{.padding = kPadding}, rng);
    int found = 0;
    for (int64_t top = 0; top <= 2 * kPadding; ++top)
      for (int64_t left = 0; left <= 2 * kPadding; ++left) {
        const auto padded = [&](int64_t c, int64_t y, int64_t x) {
          const bool inside =
              y >= kPadding && y < 8 + kPadding && x >= kPadding && x < 6 + kPadding;
          return inside ? subject.plain.at(c, y - kPadding, x - kPadding) : subject.black(c);
        };
        bool equal = true;
        for (int64_t c = 0; c < 3 && equal; ++c)
          for (int64_t y = 0; y < 8 && equal; ++y)
            for (int64_t x = 0; x < 6 && equal; ++x)
              equal = cropped.at(c, y, x) == padded(c, top + y, left + x);
        if (equal) ++found, ++places[{top, left}];
      }
    REQUIRE(found == 1);
  }
  CHECK(is_uniform(places, 49, kDraws));
  CHECK(subject.after(RandomCrop{.padding = 0}, rng) == subject.plain);
}

TEST_CASE("RandomCrop with a reflected border, and FixedView, show what is inside of it") {
  const Subject subject(8, 6);
  const auto moved = [&](int64_t dy, int64_t dx) {
    return picture(8, 6, [&](int64_t c, int64_t y, int64_t x) {
      return subject.plain.at(c, reflected(y + dy, 8), reflected(x + dx, 6));
    });
  };
  Rng rng(7);
  for (int draw = 0; draw < 200; ++draw) {
    const RandomCrop crop{.padding = 2, .border = Border::reflected};
    const Picture cropped = subject.after(crop, rng);
    int found = 0;
    for (int64_t dy = -2; dy <= 2; ++dy)
      for (int64_t dx = -2; dx <= 2; ++dx) found += cropped == moved(dy, dx);
    CHECK(found == 1);
  }
  const FixedView view{.dy = 1, .dx = -1, .border = Border::reflected, .mirrored = true};
  const Picture unmirrored = moved(1, -1);
  CHECK(subject.after(view, rng) ==
        picture(8, 6, [&](int64_t c, int64_t y, int64_t x) { return unmirrored.at(c, y, 5 - x); }));
  CHECK(subject.after(FixedView{}, rng) == subject.plain);
  CHECK_THROWS_WITH_AS(Transform(FixedView{.dy = 2000}),
                       "fixed_view: expected a move by at most 1024 pixels, got 2000 and 0", Error);
}

TEST_CASE("HorizontalFlip exchanges left and right as often as it should") {
  const Subject subject(4, 5);
  const Picture mirrored =
      picture(4, 5, [&](int64_t c, int64_t y, int64_t x) { return subject.plain.at(c, y, 4 - x); });
  Rng rng(2);
  for (const double p : {0.0, 0.25, 0.5, 1.0}) {
    int flips = 0;
    constexpr int kDraws = 4000;
    for (int draw = 0; draw < kDraws; ++draw) {
      const Picture result = subject.after(HorizontalFlip{.p = p}, rng);
      const bool flipped = result == mirrored;
      REQUIRE((flipped || result == subject.plain));
      flips += flipped;
    }
    CHECK(std::abs(flips - p * kDraws) <= 4 * std::sqrt(kDraws * p * (1 - p)));
  }
}

TEST_CASE("Cutout erases a square centred anywhere") {
  const Subject subject(12, 10);
  for (const int64_t size : {1, 4, 5, 8}) {
    Rng rng(static_cast<uint64_t>(size));
    std::map<std::pair<int64_t, int64_t>, int> centres;
    constexpr int kDraws = 6000;
    for (int draw = 0; draw < kDraws; ++draw) {
      const auto box = erased_box(subject, subject.after(Cutout{.size = size}, rng));
      REQUIRE(box);
      // The paper's code: from centre − size/2, clipped to the image.
      for (int64_t y = 0; y < 12; ++y)
        for (int64_t x = 0; x < 10; ++x) {
          const int64_t top = y - size / 2, left = x - size / 2;
          if (box->top == std::max<int64_t>(top, 0) &&
              box->bottom == std::min<int64_t>(top + size, 12) &&
              box->left == std::max<int64_t>(left, 0) &&
              box->right == std::min<int64_t>(left + size, 10))
            ++centres[{y, x}];
        }
    }
    CHECK(is_uniform(centres, 120, kDraws));
  }
}

TEST_CASE("RandomErasing erases a rectangle of the drawn area and aspect, inside of the image") {
  const Subject subject(32, 24);
  constexpr double kArea = 32 * 24;
  Rng rng(3);
  int erased = 0, tall = 0;
  double area = 0, middle_y = 0, middle_x = 0;
  constexpr int kDraws = 4000;
  const RandomErasing transform{
      .p = 0.3, .min_area = 0.05, .max_area = 0.2, .min_aspect = 0.5, .max_aspect = 2};
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto box = erased_box(subject, subject.after(transform, rng));
    if (!box) continue;
    ++erased;
    const auto h = static_cast<double>(box->bottom - box->top);
    const auto w = static_cast<double>(box->right - box->left);
    // Both sides are rounded by at most a half.
    CHECK((h + 0.5) * (w + 0.5) >= 0.05 * kArea);
    CHECK((h - 0.5) * (w - 0.5) <= 0.2 * kArea);
    CHECK((h + 0.5) / (w - 0.5) >= 0.5);
    CHECK((h - 0.5) / (w + 0.5) <= 2);
    area += h * w / kArea;
    tall += h > w;
    middle_y += (box->top + box->bottom) / 2.0;
    middle_x += (box->left + box->right) / 2.0;
  }
  CHECK(std::abs(erased - 0.3 * kDraws) < 4 * std::sqrt(kDraws * 0.3 * 0.7));
  // Uniform in [0.05, 0.2]: mean 0.125, deviation 0.043. The aspect is above 1 for two of three.
  CHECK(std::abs(area / erased - 0.125) < 4 * 0.0433 / std::sqrt(erased));
  CHECK(std::abs(tall / static_cast<double>(erased) - 2 / 3.0) < 0.08);
  CHECK(std::abs(middle_y / erased - 16) < 0.8);
  CHECK(std::abs(middle_x / erased - 12) < 0.6);

  const auto exact = erased_box(subject, subject.after(RandomErasing{.p = 1,
                                                                     .min_area = 128 / kArea,
                                                                     .max_area = 128 / kArea,
                                                                     .min_aspect = 2,
                                                                     .max_aspect = 2},
                                                       rng));
  REQUIRE(exact);
  CHECK(exact->bottom - exact->top == 16);
  CHECK(exact->right - exact->left == 8);
  const RandomErasing never_fits{.p = 1, .min_area = 1, .max_area = 1};
  CHECK(subject.after(never_fits, rng) == subject.plain);
  CHECK(subject.after(RandomErasing{.p = 0}, rng) == subject.plain);
}

TEST_CASE("transforms describe themselves") {
  CHECK(describe({}) == "none");
  CHECK(describe({RandomCrop{.padding = 4}, HorizontalFlip{}, Cutout{.size = 8}}) ==
        "random_crop(padding=4) horizontal_flip(p=0.5) cutout(size=8)");
  CHECK(describe({RandomErasing{}}) == "random_erasing(p=0.5,area=0.02..0.4,aspect=0.3..3.33333)");
}

TEST_CASE("transforms refuse parameters that make no sense") {
  const double nan = std::nan("");
  CHECK_THROWS_WITH_AS(Transform(RandomCrop{.padding = -1}),
                       "random_crop: the padding must be in [0, 1024], got -1", Error);
  CHECK_THROWS_WITH_AS(Transform(HorizontalFlip{.p = 1.5}),
                       "horizontal_flip: the probability must be in [0, 1], got 1.5", Error);
  CHECK_THROWS_AS(Transform(HorizontalFlip{.p = nan}), Error);
  CHECK_THROWS_WITH_AS(Transform(Cutout{.size = 0}),
                       "cutout: the size must be in [1, 65536], got 0", Error);
  CHECK_THROWS_AS(Transform(RandomErasing{.p = -0.1}), Error);
  CHECK_THROWS_WITH_AS(Transform(RandomErasing{.min_area = 0.5}),
                       "random_erasing: expected areas 0 < min <= max <= 1, got 0.5 and 0.4",
                       Error);
  CHECK_THROWS_AS(Transform(RandomErasing{.min_area = 0}), Error);
  CHECK_THROWS_AS(Transform(RandomErasing{.max_area = 1.1}), Error);
  CHECK_THROWS_WITH_AS(Transform(RandomErasing{.min_aspect = 4}),
                       "random_erasing: expected aspects 0 < min <= max, got 4 and 3.33333", Error);
  CHECK_THROWS_AS(Transform(RandomErasing{.max_aspect = nan}), Error);
}
