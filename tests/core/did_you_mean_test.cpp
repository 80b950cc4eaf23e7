#include <doctest/doctest.h>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/scope.h>

using namespace pade;

TEST_CASE("the nearest name is found, and nothing where none is near") {
  const std::vector<std::string> known{"relu", "leaky_relu", "tanh", "hermite_he"};
  CHECK(nearest_name("rleu", known) == "relu");
  CHECK(nearest_name("gleu", {"elu", "gelu"}) == "gelu");  // letters that changed places
  CHECK(nearest_name("lekyrelu", known) == "leaky_relu");
  CHECK(nearest_name("hermite", known) == "hermite_he");
  CHECK(nearest_name("convolution", known).empty());
}

TEST_CASE("an unknown name is answered with the known ones") {
  CHECK_THROWS_WITH_AS(fail_unknown_name("fruit", "aple", {"apple", "pear"}),
                       "unknown fruit \"aple\"; did you mean \"apple\"? There are: apple, pear",
                       Error);
  CHECK_THROWS_WITH_AS(fail_unknown_name("fruit", "spanner", {"fig"}),
                       "unknown fruit \"spanner\"; there are: fig", Error);
}

TEST_CASE("errors end with the path of the scopes they come from") {
  CHECK_THROWS_WITH_AS(fail("a ", 1), "a 1", Error);
  const Scope outer("features"), root(""), inner("0");
  CHECK(Scope::path() == "features.0");
  CHECK_THROWS_WITH_AS(fail("a ", 1), "a 1 in features.0", Error);
}
