#include <doctest/doctest.h>

#include <vector>

#include <pade/core/ops/broadcast.h>
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
