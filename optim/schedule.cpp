#include <algorithm>
#include <cmath>
#include <numbers>

#include <pade/core/error.h>
#include <pade/optim/schedule.h>

namespace pade {

Schedule Schedule::constant() { return {Kind::constant, 1, 1}; }

Schedule Schedule::cosine(double total) {
  check(total > 0, "Schedule::cosine: expected more than 0 epochs, got ", total);
  return {Kind::cosine, total, 1};
}

Schedule Schedule::step(double every, double gamma) {
  check(every > 0 && gamma > 0, "Schedule::step: expected epochs and gamma above 0, got ", every,
        " and ", gamma);
  return {Kind::step, every, gamma};
}

Schedule Schedule::with_warm_up(double epochs) const {
  check(epochs >= 0, "Schedule::with_warm_up: ", epochs, " epochs are negative");
  Schedule schedule = *this;
  schedule.warm_up_ = epochs;
  return schedule;
}

double Schedule::factor(double epochs) const {
  const double rising = epochs < warm_up_ ? epochs / warm_up_ : 1;
  switch (kind_) {
    case Kind::constant: return rising;
    case Kind::cosine:
      return rising * (1 + std::cos(std::numbers::pi * std::min(epochs / length_, 1.0))) / 2;
    case Kind::step: return rising * std::pow(gamma_, std::floor(epochs / length_));
  }
  return rising;
}

}  // namespace pade
