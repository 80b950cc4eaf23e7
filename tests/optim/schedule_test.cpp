#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/optim/schedule.h>

using namespace pade;

TEST_CASE("cosine falls from 1 to 0 and stays there") {
  const Schedule schedule = Schedule::cosine(10);
  CHECK(schedule.factor(0) == 1);
  CHECK(schedule.factor(2.5) == doctest::Approx(0.8535533906));
  CHECK(schedule.factor(5) == doctest::Approx(0.5));
  CHECK(schedule.factor(10) == doctest::Approx(0).epsilon(1e-12));
  CHECK(schedule.factor(25) == schedule.factor(10));
}

TEST_CASE("step multiplies at whole multiples") {
  const Schedule schedule = Schedule::step(30, 0.1);
  CHECK(schedule.factor(0) == 1);
  CHECK(schedule.factor(29.99) == 1);
  CHECK(schedule.factor(30) == doctest::Approx(0.1));
  CHECK(schedule.factor(65) == doctest::Approx(0.01));
}

TEST_CASE("constant is 1, and a warm-up rises to what follows it") {
  CHECK(Schedule::constant().factor(1000) == 1);
  const Schedule schedule = Schedule::step(4, 0.5).with_warm_up(2);
  CHECK(schedule.factor(0) == 0);
  CHECK(schedule.factor(0.5) == 0.25);
  CHECK(schedule.factor(2) == 1);
  CHECK(schedule.factor(4) == 0.5);
  CHECK(Schedule::constant().with_warm_up(0).factor(0) == 1);
}

TEST_CASE("schedules refuse empty spans") {
  CHECK_THROWS_AS(Schedule::cosine(0), Error);
  CHECK_THROWS_AS(Schedule::step(0, 0.1), Error);
  CHECK_THROWS_AS(Schedule::step(1, 0), Error);
  CHECK_THROWS_AS(Schedule::constant().with_warm_up(-1), Error);
}
