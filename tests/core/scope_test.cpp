#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include <pade/core/scope.h>

using namespace pade;

TEST_CASE("scopes make a dotted path, and take themselves off it") {
  CHECK(Scope::path() == "");
  {
    const Scope network("");  // the outermost module
    CHECK(Scope::path() == "");
    const Scope features("features");
    {
      const Scope first("0");
      CHECK(Scope::path() == "features.0");
      const Scope unnamed("");
      CHECK(Scope::path() == "features.0");
    }
    CHECK(Scope::path() == "features");
    const Scope second("block.1");
    CHECK(Scope::path() == "features.block.1");
  }
  CHECK(Scope::path() == "");
}

TEST_CASE("an exception leaves no scope behind") {
  const Scope outer("outer");
  try {
    const Scope inner("inner");
    throw std::runtime_error("any");
  } catch (const std::runtime_error&) {}
  CHECK(Scope::path() == "outer");
}

TEST_CASE("each thread has a path of its own") {
  const Scope here("here");
  std::string seen = "not run";
  std::thread([&] {
    seen = Scope::path();
    const Scope there("there");
    seen += "|" + Scope::path();
  }).join();
  CHECK(seen == "|there");
  CHECK(Scope::path() == "here");
}

TEST_CASE("a whole path stands in the place of the current one") {
  const Scope outer("outer");
  {
    const ScopeOfPath elsewhere("features.0");
    CHECK(Scope::path() == "features.0");
    const Scope inner("conv");
    CHECK(Scope::path() == "features.0.conv");
  }
  CHECK(Scope::path() == "outer");
}
