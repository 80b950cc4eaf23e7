#include "lab/curve_features.h"

#include <cmath>

#include <pade/core/error.h>

namespace pade::lab {
namespace {

/// Follows the sign of one derivative along the samples, and calls found(x, sign before) where it
/// changes. Samples at which it is 0 are skipped.
class SignFollower {
 public:
  SignFollower(const DifferentiableFunction& f, double Derivatives::*which)
      : f_(f), which_(which) {}

  template <class Found>
  void step(double x, const Derivatives& at, Found&& found) {
    const double value = at.*which_;
    if (value == 0) return;
    const bool positive = value > 0;
    if (known_ && positive != positive_) found(bisect(x_, x), positive_);
    x_ = x, positive_ = positive, known_ = true;
  }

 private:
  double bisect(double low, double high) const {
    for (;;) {
      const double middle = low + (high - low) / 2;
      if (middle <= low || middle >= high) return middle;
      const double value = f_(middle).*which_;
      if (value == 0) return middle;
      ((value > 0) == positive_ ? low : high) = middle;
    }
  }

  const DifferentiableFunction& f_;
  double Derivatives::*which_;
  double x_ = 0;
  bool positive_ = false, known_ = false;
};

}  // namespace

CurveFeatures search_curve(const DifferentiableFunction& f, double low, double high, int samples) {
  check(std::isfinite(low) && std::isfinite(high) && low < high, "search_curve: the interval [",
        low, ", ", high, "] is empty or not finite");
  check(samples >= 3, "search_curve: ", samples, " samples; at least 3 are needed");
  CurveFeatures features;
  auto consider = [&](double x, double slope) {
    if (std::abs(slope) > features.lipschitz.value)
      features.lipschitz = {std::abs(slope), x, false};
  };
  SignFollower slope(f, &Derivatives::slope), curvature(f, &Derivatives::curvature);
  for (int i = 0; i < samples; ++i) {
    const double x = low + (high - low) * i / (samples - 1);
    const Derivatives at = f(x);
    check(std::isfinite(at.value) && std::isfinite(at.slope) && std::isfinite(at.curvature),
          "search_curve: the function or a derivative of it is not finite at ", x);
    consider(x, at.slope);
    slope.step(x, at, [&](double where, bool was_rising) {
      features.extrema.push_back({where, f(where).value, was_rising, false});
    });
    curvature.step(x, at, [&](double where, bool) {
      const Derivatives there = f(where);
      features.inflections.push_back({where, there.value, there.slope, false});
      consider(where, there.slope);
    });
  }
  return features;
}

}  // namespace pade::lab
