#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <pade/core/kernels/loop_nest.h>
#include <pade/core/kernels/math/index_lookup.h>
#include <pade/core/ops/operands.h>
#include <pade/core/parallel.h>

#include "tests/core/ops/index_reference.h"

using namespace pade;

TEST_CASE("broadcast_shape follows NumPy's rule") {
  CHECK(broadcast_shape("op", {{}, {}}) == Shape{});
  CHECK(broadcast_shape("op", {{3}, {2, 1}}) == Shape{2, 3});
  CHECK(broadcast_shape("op", {{0}, {1}}) == Shape{0});
  CHECK(broadcast_shape("op", {{4, 1, 1}, {3, 1}, {2}}) == Shape{4, 3, 2});
  CHECK_THROWS_WITH_AS(broadcast_shape("op", {{2}, {3}}), "op: shapes [2] and [3] do not broadcast",
                       Error);
  CHECK_THROWS_WITH_AS(broadcast_shape("op", {{0}, {1}, {2}}),
                       "op: shapes [0], [1] and [2] do not broadcast", Error);
}

TEST_CASE("loops have as few axes as do") {
  auto rank = [](const Shape& shape, std::initializer_list<Shape> operands) {
    return loop_over(shape, operands).rank;
  };
  CHECK(rank({}, {{}}) == 1);
  CHECK(rank({1, 1}, {{1}}) == 1);
  CHECK(rank({2, 3, 4, 5}, {{2, 3, 4, 5}, {2, 3, 4, 5}}) == 1);
  CHECK(rank({2, 3, 4, 5}, {{2, 3, 4, 5}, {}}) == 1);
  CHECK(rank({2, 3, 4, 5}, {{2, 3, 4, 5}, {4, 5}}) == 2);
  CHECK(rank({2, 3, 4, 5}, {{2, 3, 4, 5}, {3, 1, 1}}) == 3);
  CHECK(rank({2, 3, 1, 1}, {{2, 3, 1, 1}, {3, 1, 1}}) == 2);
  CHECK(rank({2, 3, 4, 5}, {{1, 3, 1, 5}, {2, 1, 4, 1}}) == 4);
}

TEST_CASE("loops over nothing, with something kept or reduced") {
  auto split = [](const Shape& shape, const Shape& target) {
    return split_at_target(loop_over(shape, {shape, target}), 1);
  };
  CHECK(split({3, 0}, {3, 1}).kept.size() == 3);
  CHECK(split({3, 0}, {3, 1}).reduced.size() == 0);
  CHECK(split({3, 0, 2}, {3, 0, 1}).kept.size() == 0);
  CHECK(split({3, 0, 2}, {1, 0, 2}).kept.size() == 0);
  CHECK(split({3, 0, 2}, {1, 1, 2}).reduced.size() == 0);
  CHECK(split({3, 0, 2}, {1, 1, 2}).kept.size() == 2);
}

TEST_CASE("runs cover any range of a nest in order, and know where the operands are") {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    const Shape shape = reference::random_shape(rng);
    const Shape squeezed = reference::random_squeezed(rng, shape);
    const LoopNest nest = loop_over(shape, {shape, squeezed});
    const int64_t end = shape.size();
    const int64_t begin = end ? static_cast<int64_t>(rng.below(end)) : 0;
    const int64_t longest = 1 + static_cast<int64_t>(rng.below(5));
    const Offsets strides = nest.inner().strides;
    std::vector<int64_t> visited, expected, of_squeezed, expected_of_squeezed;
    for_each_run(nest, begin, end, longest, [&](const Offsets& at, int64_t first, int64_t count) {
      CHECK(count <= longest);
      CHECK(at[0] == first);
      for (int64_t i = 0; i < count; ++i) {
        visited.push_back(at[0] + i * strides[0]);
        of_squeezed.push_back(at[1] + i * strides[1]);
      }
    });
    for (int64_t i = begin; i < end; ++i) {
      expected.push_back(i);
      expected_of_squeezed.push_back(reference::stretched(squeezed, reference::index_of(shape, i)));
    }
    CHECK(visited == expected);
    CHECK(of_squeezed == expected_of_squeezed);
  }
}

TEST_CASE("Divisor divides as the processor does") {
  Rng rng(2);
  constexpr uint32_t kTop = 2147483647;
  for (const uint32_t divisor :
       {1u, 2u, 3u, 5u, 7u, 10u, 64u, 641u, 65535u, 65536u, 65537u, 1u << 30, kTop - 1, kTop}) {
    const Divisor by(divisor);
    std::vector<uint32_t> numbers = {0,
                                     1,
                                     divisor - 1,
                                     divisor,
                                     kTop - 1,
                                     kTop,
                                     kTop / divisor * divisor,
                                     kTop / divisor * divisor - 1};
    for (int i = 0; i < 1000; ++i) numbers.push_back(static_cast<uint32_t>(rng.below(kTop)));
    int64_t wrong = 0;
    for (const uint32_t number : numbers) wrong += by.quotient(number) != number / divisor;
    CHECK_MESSAGE(wrong == 0, divisor);
  }
}

TEST_CASE("lookups find what walking finds, part by part") {
  Rng rng(3);
  for (int round = 0; round < 300; ++round) {
    const Shape shape = reference::random_shape(rng);
    const LoopNest nest =
        loop_over(shape, {shape, reference::random_squeezed(rng, shape), Shape{}});
    const int64_t limit = round % 2 ? 1 + static_cast<int64_t>(rng.below(20)) : 1'000'000;
    std::vector<Offsets> walked, found;
    Position position(nest, nest.rank, 0);
    for (int64_t i = 0; i < nest.size(); ++i, position.advance())
      walked.push_back(position.offsets());
    for (const auto& [part, at, first] : parts_of(nest, limit)) {
      CHECK(part.size() <= limit);
      CHECK(first == static_cast<int64_t>(found.size()));
      const LookupNest<2> lookup(part);
      CHECK(lookup.size() == part.size());
      for (uint32_t i = 0; i < lookup.size(); ++i) {
        const auto place = lookup.at(i);
        CHECK(std::max(place.of[0], place.of[1]) <= limit);
        found.push_back({at[0] + place.of[0], at[1] + place.of[1], 0, 0});
      }
    }
    CHECK(found == walked);
  }
}

TEST_CASE("a nest with billions of elements is cut in parts that 32 bits can number") {
  const Shape shape{3, 70'000, 5, 40'000};
  const LoopNest nest = loop_over(shape, {shape, {5, 1}});
  const std::vector<NestPart> parts = parts_of(nest);
  int64_t elements = 0;
  for (const auto& [part, at, first] : parts) {
    CHECK(first == elements);
    CHECK(at[0] == first);
    CHECK(at[1] == 0);
    const LookupNest<2> lookup(part);
    const uint32_t last = lookup.size() - 1;
    CHECK(lookup.at(last).of[0] == last);
    CHECK(lookup.at(last).of[1] == 4);
    elements += part.size();
  }
  CHECK(elements == shape.size());
  CHECK(parts.size() >= 20);
  CHECK(parts.size() <= 64);
}
