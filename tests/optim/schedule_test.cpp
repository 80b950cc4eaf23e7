#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <pade/core/error.h>
#include <pade/optim/schedule.h>

using namespace pade;

namespace {

const double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("cosine falls from 1 to 0 and stays there") {
  const Schedule schedule = Schedule::cosine(10);
  CHECK(schedule.factor(0) == 1);
  CHECK(schedule.factor(2.5) == doctest::Approx(0.85355339059327373));  // (2 + √2) / 4
  CHECK(schedule.factor(5) == doctest::Approx(0.5));
  CHECK(schedule.factor(7.5) == doctest::Approx(0.14644660940672627));
  CHECK(schedule.factor(10) == 0);
  CHECK(schedule.factor(25) == 0);
  CHECK(schedule.factor(kInfinity) == 0);
  for (int i = 0; i < 100; ++i) CHECK(schedule.factor(i / 10.0) > schedule.factor((i + 1) / 10.0));
}

TEST_CASE("step multiplies at whole multiples") {
  const Schedule schedule = Schedule::step(30, 0.1);
  CHECK(schedule.factor(0) == 1);
  CHECK(schedule.factor(29.99) == 1);
  CHECK(schedule.factor(30) == 0.1);
  CHECK(schedule.factor(59.99) == 0.1);
  CHECK(schedule.factor(65) == doctest::Approx(0.01));
  CHECK(Schedule::step(0.5, 2).factor(1.75) == 8);
}

TEST_CASE("triangle rises to 1 and falls, and stays at its end") {
  const Schedule schedule = Schedule::triangle(10, 0.2, 2.5, 0.05);
  CHECK(schedule.factor(0) == 0.2);
  CHECK(schedule.factor(1.25) == doctest::Approx(0.6));
  CHECK(schedule.factor(2.5) == 1);
  CHECK(schedule.factor(5) == doctest::Approx(1 - 0.95 / 3));
  CHECK(schedule.factor(10) == doctest::Approx(0.05));
  CHECK(schedule.factor(30) == schedule.factor(10));
  CHECK(schedule.with_warm_up(5).factor(2.5) == 0.5);
}

TEST_CASE("constant is 1, and a warm-up rises to what follows it") {
  CHECK(Schedule::constant().factor(0) == 1);
  CHECK(Schedule::constant().factor(1000) == 1);
  const Schedule schedule = Schedule::step(4, 0.5).with_warm_up(2);
  CHECK(schedule.factor(0) == 0);
  CHECK(schedule.factor(0.5) == 0.25);
  CHECK(schedule.factor(2) == 1);
  CHECK(schedule.factor(4) == 0.5);
  CHECK(Schedule::constant().with_warm_up(0).factor(0) == 1);

  const Schedule plain = Schedule::cosine(10), warmed = plain.with_warm_up(4);
  CHECK(warmed.factor(1) == doctest::Approx(plain.factor(1) / 4));
  for (const double epochs : {4.0, 7.0, 10.0, 11.0})
    CHECK(warmed.factor(epochs) == plain.factor(epochs));
}

TEST_CASE("schedules refuse spans and times that make no sense") {
  CHECK_THROWS_WITH_AS(Schedule::triangle(10, 0, 10, 0),
                       "Schedule::triangle: expected a peak between 0 and 10 epochs, got 10",
                       Error);
  CHECK_THROWS_WITH_AS(Schedule::triangle(10, 0.5, 5, 1.5),
                       "Schedule::triangle: expected factors from 0 to 1, got 0.5 and 1.5", Error);
  CHECK_THROWS_AS(Schedule::triangle(kInfinity, 0, 1, 0), Error);
  CHECK_THROWS_WITH_AS(Schedule::cosine(0), "Schedule::cosine: expected more than 0 epochs, got 0",
                       Error);
  CHECK_THROWS_AS(Schedule::cosine(kInfinity), Error);
  CHECK_THROWS_AS(Schedule::cosine(kNan), Error);
  CHECK_THROWS_WITH_AS(Schedule::step(0, 0.1),
                       "Schedule::step: expected epochs and gamma above 0, got 0 and 0.1", Error);
  CHECK_THROWS_AS(Schedule::step(1, 0), Error);
  CHECK_THROWS_WITH_AS(Schedule::constant().with_warm_up(-1),
                       "Schedule::with_warm_up: expected 0 epochs or more, got -1", Error);
  CHECK_THROWS_WITH_AS(Schedule::constant().factor(-1),
                       "Schedule::factor: expected 0 epochs or more, got -1", Error);
  CHECK_THROWS_AS(Schedule::constant().factor(kNan), Error);
}
