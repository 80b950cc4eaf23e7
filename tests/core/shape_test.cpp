#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/shape.h>

using namespace pade;

TEST_CASE("a shape knows its extents and their product") {
  const Shape shape{2, 3, 5};
  CHECK(shape.rank() == 3);
  CHECK(shape.size() == 30);
  CHECK(shape[0] == 2);
  CHECK(shape[2] == 5);
  CHECK(shape[-1] == 5);
  CHECK(shape[-3] == 2);
  CHECK(std::vector<int64_t>(shape.begin(), shape.end()) == std::vector<int64_t>{2, 3, 5});
  CHECK(shape.resolve_axis(1) == 1);
  CHECK(shape.resolve_axis(-1) == 2);
}

TEST_CASE("shapes of scalars and of nothing") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.size() == 1);
  CHECK(Shape().size() == 1);
  CHECK(Shape{0}.size() == 0);
  CHECK(Shape{3, 0, 2}.size() == 0);
  CHECK(Shape{0} != Shape{});
}

TEST_CASE("shapes are equal when all extents are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(Shape{2, 3} != Shape{2});
  const std::vector<int64_t> extents = {2, 3};
  CHECK(Shape(std::span<const int64_t>(extents)) == Shape{2, 3});
}

TEST_CASE("parts of a shape") {
  const Shape shape{2, 3, 5};
  CHECK(shape.with(1, 7) == Shape{2, 7, 5});
  CHECK(shape.with(-1, 1) == Shape{2, 3, 1});
  CHECK(shape.with(-1, 1).size() == 6);
  CHECK(shape == Shape{2, 3, 5});
  CHECK(shape.size_before(0) == 1);
  CHECK(shape.size_before(2) == 6);
  CHECK(shape.size_before(3) == 30);
  CHECK(shape.size_from(0) == 30);
  CHECK(shape.size_from(2) == 5);
  CHECK(shape.size_from(3) == 1);
}

TEST_CASE("shapes print as lists") {
  CHECK(to_string(Shape{128, 6, 28, 28}) == "[128, 6, 28, 28]");
  CHECK(to_string(Shape{7}) == "[7]");
  CHECK(to_string(Shape{}) == "[]");
}

TEST_CASE("shapes refuse what is none") {
  CHECK(Shape{1, 1, 1, 1, 1, 1, 1, 1}.rank() == Shape::kMaxRank);
  CHECK_THROWS_WITH_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), "shape: rank 9 is above the limit of 8",
                       Error);
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "shape: extent -1 is negative", Error);
  const int64_t most = std::numeric_limits<int64_t>::max();
  CHECK(Shape{most}.size() == most);
  CHECK_THROWS_WITH_AS((Shape{most, 2}), "shape: too many elements to count", Error);
  CHECK_THROWS_WITH_AS((Shape{1, 2}.with(0, most)), "shape: too many elements to count", Error);
  CHECK_THROWS_WITH_AS((Shape{2, 3}.resolve_axis(2)), "axis 2 is out of range for shape [2, 3]",
                       Error);
  CHECK_THROWS_WITH_AS((Shape{2, 3}[-3]), "axis -3 is out of range for shape [2, 3]", Error);
  CHECK_THROWS_WITH_AS(Shape{}[0], "axis 0 is out of range for shape []", Error);
}
