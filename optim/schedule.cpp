#include <algorithm>
#include <cmath>
#include <numbers>

#include <pade/core/error.h>
#include <pade/optim/schedule.h>

namespace pade {
namespace {

bool is_positive(double value) { return value > 0 && std::isfinite(value); }

}  // namespace

Schedule Schedule::constant() { return {Kind::constant, 1, 1}; }

Schedule Schedule::cosine(double total) {
  check(is_positive(total), "Schedule::cosine: expected more than 0 epochs, got ", total);
  return {Kind::cosine, total, 1};
}

Schedule Schedule::step(double every, double gamma) {
  check(is_positive(every) && is_positive(gamma),
        "Schedule::step: expected epochs and gamma above 0, got ", every, " and ", gamma);
  return {Kind::step, every, gamma};
}

Schedule Schedule::with_warm_up(double warm_up) const {
  check(warm_up == 0 || is_positive(warm_up),
        "Schedule::with_warm_up: expected 0 epochs or more, got ", warm_up);
  Schedule schedule = *this;
  schedule.warm_up_ = warm_up;
  return schedule;
}

double Schedule::factor(double epochs) const {
  check(epochs >= 0, "Schedule::factor: expected 0 epochs or more, got ", epochs);
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
