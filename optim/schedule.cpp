#include <algorithm>
#include <cmath>
#include <numbers>

#include <pade/core/error.h>
#include <pade/optim/schedule.h>

namespace pade {
namespace {

bool is_positive(double value) { return value > 0 && std::isfinite(value); }

}  // namespace

Schedule Schedule::constant() {
  return Schedule([](double) { return 1.0; });
}

Schedule Schedule::cosine(double total) {
  check(is_positive(total), "Schedule::cosine: expected more than 0 epochs, got ", total);
  return Schedule([=](double epochs) {
    return (1 + std::cos(std::numbers::pi * std::min(epochs / total, 1.0))) / 2;
  });
}

Schedule Schedule::step(double every, double gamma) {
  check(is_positive(every) && is_positive(gamma),
        "Schedule::step: expected epochs and gamma above 0, got ", every, " and ", gamma);
  return Schedule([=](double epochs) { return std::pow(gamma, std::floor(epochs / every)); });
}

Schedule Schedule::triangle(double total, double start, double peak, double end) {
  check(is_positive(total), "Schedule::triangle: expected more than 0 epochs, got ", total);
  check(peak > 0 && peak < total, "Schedule::triangle: expected a peak between 0 and ", total,
        " epochs, got ", peak);
  check(start >= 0 && start <= 1 && end >= 0 && end <= 1,
        "Schedule::triangle: expected factors from 0 to 1, got ", start, " and ", end);
  return Schedule([=](double epochs) {
    if (epochs < peak) return std::lerp(start, 1.0, epochs / peak);
    return std::lerp(1.0, end, std::min((epochs - peak) / (total - peak), 1.0));
  });
}

Schedule Schedule::with_warm_up(double warm_up) const {
  check(warm_up == 0 || is_positive(warm_up),
        "Schedule::with_warm_up: expected 0 epochs or more, got ", warm_up);
  return Schedule([warm_up, curve = curve_](double epochs) {
    return (epochs < warm_up ? epochs / warm_up : 1) * curve(epochs);
  });
}

double Schedule::factor(double epochs) const {
  check(epochs >= 0, "Schedule::factor: expected 0 epochs or more, got ", epochs);
  return curve_(epochs);
}

}  // namespace pade
