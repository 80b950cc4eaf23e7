#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include <pade/core/error.h>
#include <pade/core/scope.h>
#include <pade/core/shape.h>

using namespace pade;

TEST_CASE("fail prints its parts one after another") {
  CHECK_THROWS_WITH_AS(fail("conv2d: input ", Shape{1, 3}, " has ", 3, ' ', "channels, not ", 0.5),
                       "conv2d: input [1, 3] has 3 channels, not 0.5", Error);
}

TEST_CASE("check throws only when it must") {
  CHECK_NOTHROW(check(true, "all is well"));
  CHECK_THROWS_WITH_AS(check(false, "expected ", 2, ", got ", std::string("three")),
                       "expected 2, got three", Error);
}

TEST_CASE("an error says in which module it arose") {
  const Scope network(""), features("features"), layer("0");
  CHECK_THROWS_WITH_AS(fail("no good"), "no good in features.0", Error);
  CHECK_THROWS_WITH_AS(throw_error("no good"), "no good in features.0", Error);
}

TEST_CASE("an error is a runtime_error, and keeps its message outside the scope") {
  std::string message;
  try {
    const Scope scope("inner");
    fail("first");
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message == "first in inner");
}
