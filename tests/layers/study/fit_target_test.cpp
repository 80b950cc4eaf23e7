#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <tuple>

#include <pade/core/error.h>
#include <pade/layers/study/fit_target.h>
#include <pade/layers/study/rational_fit.h>

#include "tests/temporary_folder.h"

using namespace pade;

TEST_CASE("samples are read from lines x,y, with or without a header") {
  const pade::testing::TemporaryFolder folder;
  const auto path = folder.write("a.csv", "x,y\r\n-1, 0.5\r\n\r\n 2.5e-1 ,-3\r\n");
  const std::vector<FitSample> samples = read_samples(path);
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].x == -1);
  CHECK(samples[0].y == 0.5);
  CHECK(samples[1].x == 0.25);
  CHECK(samples[1].y == -3);
  CHECK(read_samples(folder.write("b.csv", "1,2\n3,4")).size() == 2);
  CHECK(read_samples(folder.write("c.csv",
                                  "\xEF\xBB\xBF"
                                  "1,2\n3,4\n"))
            .size() == 2);
}

TEST_CASE("samples have commas, semicolons, tabs or blanks between them") {
  const pade::testing::TemporaryFolder folder;
  for (const char* text :
       {"-1,0.5\n2e1,+3\n", "-1;0.5\n2e1;+3\n", "-1\t0.5\n2e1\t+3\n", "-1 0.5\n2e1 +3\n",
        "  -1   0.5  \n\t2e1 \t +3\n", "-1 , 0.5\n2e1\t;\t+3\n", "x y\n-1 0.5\n2e1 +3",
        "# by hand\n\nx;y\n-1;0.5\n# more\n2e1;+3\n", "\n\nx\ty\r\n-1\t0.5\r\n2e1\t+3\r\n"}) {
    CAPTURE(std::string(text));
    const std::vector<FitSample> samples = read_samples(folder.write("a.csv", text));
    REQUIRE(samples.size() == 2);
    CHECK(samples[0].x == -1);
    CHECK(samples[0].y == 0.5);
    CHECK(samples[1].x == 20);
    CHECK(samples[1].y == 3);
  }
}

TEST_CASE("what is not a sample is refused with its line") {
  const pade::testing::TemporaryFolder folder;
  for (const auto& [text, line, got] :
       {std::tuple{"x,y\n1,2\n3|4\n", 3, "3|4"}, std::tuple{"1,2\nx,y\n", 2, "x,y"},
        std::tuple{"1,2,3\n", 1, "1,2,3"}, std::tuple{"1,2\n\n3,\n", 3, "3,"},
        std::tuple{"1,2\n3,inf\n", 2, "3,inf"}, std::tuple{"1,2\n3,nan\n", 2, "3,nan"},
        std::tuple{"1,2\n0x1,4\n", 2, "0x1,4"}, std::tuple{"1,,2\n", 1, "1,,2"},
        std::tuple{"1;;2\n", 1, "1;;2"}, std::tuple{"x;y\n0,5;1,5\n", 2, "0,5;1,5"},
        std::tuple{"x\ty\n0,5\t1,5\n", 2, "0,5\t1,5"}, std::tuple{"x y\n# z\n0,5 1\n", 3, "0,5 1"},
        std::tuple{"x y\nx y\n1 2\n", 2, "x y"}}) {
    const std::string path = folder.write("bad.csv", text).string();
    const std::string message = "read_samples: " + path + ", line " + std::to_string(line) +
                                ": expected two finite numbers with decimal points, as in "
                                "\"0.5,1\", \"0.5;1\" or \"0.5 1\", got \"" +
                                got + '"';
    CHECK_THROWS_WITH_AS(read_samples(path), message.c_str(), Error);
  }
  const std::string empty = folder.write("empty.csv", "x,y\n").string();
  CHECK_THROWS_WITH_AS(
      read_samples(empty),
      ("read_samples: " + empty + " has no samples; expected lines \"x,y\"").c_str(), Error);
  const std::string missing = (folder / "none.csv").string();
  CHECK_THROWS_WITH_AS(read_samples(missing),
                       ("cannot read " + missing + ": No such file or directory").c_str(), Error);
}

TEST_CASE("samples at a function's points, in any order, give the function's fit") {
  const auto swish = fit_target_named("swish");
  const FitOptions options{-3, 3, 101};
  std::vector<FitSample> samples;
  for (int i = 0; i < 101; ++i) {
    const double x = -3 + 6.0 * (i * 37 % 101) / 100;
    samples.push_back({x, swish(x)});
  }
  const RationalOptions form{Basis::chebyshev_t, RationalForm::termwise};
  const FitResult expected = fit_rational(swish, form, 3, 2, options);
  const FitResult fit = fit_rational(samples, form, 3, 2);
  CHECK(fit.rms == doctest::Approx(expected.rms).epsilon(1e-9));
  CHECK(fit.below == doctest::Approx(expected.below).epsilon(1e-6));
  CHECK(fit.max_slope == doctest::Approx(expected.max_slope).epsilon(1e-6));
}

TEST_CASE("an x that comes twice counts twice") {
  const RationalOptions constant{Basis::monomial};
  const FitResult fit =
      fit_rational(std::vector<FitSample>{{0, 1}, {0, 4}, {1, 4}}, constant, 0, 0);
  CHECK(fit.function.c[0] == doctest::Approx(3));
  CHECK_THROWS_WITH_AS(fit_rational(std::vector<FitSample>{{0, 1}, {0, 4}, {1, 4}}, constant, 1, 0),
                       "fit_rational: 2 different points for 2 coefficients", Error);
}

TEST_CASE("samples that cannot be fitted are refused") {
  std::vector<FitSample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back({1.0 * i, 0});
  FitOptions slopes;
  slopes.derivative_weight = 1;
  CHECK_THROWS_WITH_AS(fit_rational(samples, {}, 5, 4, slopes),
                       "fit_rational: samples have no slope to match; leave derivative_weight at 0",
                       Error);
  CHECK_THROWS_WITH_AS(fit_rational(samples, {}, 8, 4),
                       "fit_rational: 12 samples for 13 coefficients", Error);
  samples[3].y = NAN;
  CHECK_THROWS_WITH_AS(fit_rational(samples, {}, 5, 4), "fit_rational: the target is nan at 3",
                       Error);
}
