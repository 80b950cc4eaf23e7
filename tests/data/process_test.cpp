#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/data/process.h>

using namespace pade;
using data::run_program;

TEST_CASE("run_program gives the output and the exit code") {
  CHECK(run_program({"printf", "%s|", "a b", "$HOME", "; false", "*"}).output ==
        "a b|$HOME|; false|*|");
  CHECK(run_program({"true"}).exit_code == 0);
  CHECK(run_program({"sh", "-c", "exit 7"}).exit_code == 7);
  CHECK(run_program({"sh", "-c", "kill -TERM $$"}).exit_code == 128 + 15);
  CHECK(run_program({"sh", "-c", "head -c 1000000 /dev/zero"}).output.size() == 1'000'000);
  CHECK_THROWS_WITH_AS(run_program({"no-such-program"}),
                       "cannot run no-such-program: No such file or directory", Error);
}

TEST_CASE("has_program looks on the PATH") {
  CHECK(data::has_program("sh"));
  CHECK_FALSE(data::has_program("no-such-program"));
}
