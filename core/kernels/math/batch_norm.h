#pragma once

#include <cmath>
#include <cstdint>

#include <pade/core/kernels/math/host_device.h>

/// Batch norm's formulas for one channel: float64, but for what every element meets.
namespace pade::norm {

struct TwoSums {
  double first, second;

  PADE_HD TwoSums& operator+=(const TwoSums& other) {
    first += other.first, second += other.second;
    return *this;
  }
  PADE_HD TwoSums operator+(TwoSums other) const { return other += *this; }
};

PADE_HD double inverse_deviation(double variance, double eps) {
  return 1 / std::sqrt(variance + eps);
}

/// What the statistics are made of: sums of distances to `center`, a value near the mean, so that
/// what is squared stays small.
PADE_HD TwoSums distance_terms(double x, double center) {
  const double distance = x - center;
  return {distance, distance * distance};
}

/// Where a channel's sums of distance_terms() end up.
template <class T>
struct StatisticsOutput {
  double count, momentum, eps;
  double *mean, *inverse;
  T *running_mean, *running_var;  // null where there are none

  PADE_HD void store(int64_t channel, const TwoSums& sums, double center) const {
    const double distance = sums.first / count;
    const double spread = sums.second / count - distance * distance;
    const double variance = spread < 0 ? 0 : spread;  // biased; NaN stays
    mean[channel] = center + distance;
    inverse[channel] = inverse_deviation(variance, eps);
    if (running_mean) move(running_mean[channel], mean[channel], 1);
    if (running_var) move(running_var[channel], variance, count / (count - 1));
  }

 private:
  PADE_HD void move(T& running, double of_batch, double correction) const {
    const T kept = static_cast<T>(1 - momentum) * running;
    running = std::fma(static_cast<T>(momentum * correction), static_cast<T>(of_batch), kept);
  }
};

/// What the gradients of gamma and beta are made of.
PADE_HD TwoSums gradient_terms(double dy, double x, double mean) { return {dy * (x - mean), dy}; }

/// Where a channel's sums of gradient_terms() end up.
template <class T>
struct GradientOutput {
  const double* inverse;
  double *of_gamma, *of_beta;
  T *dgamma, *dbeta;

  PADE_HD void store(int64_t channel, const TwoSums& sums) const {
    of_gamma[channel] = sums.first * inverse[channel];
    of_beta[channel] = sums.second;
    dgamma[channel] = static_cast<T>(of_gamma[channel]);
    dbeta[channel] = static_cast<T>(of_beta[channel]);
  }
};

/// A tensor's values per channel, or one value for all where there are none.
template <class T>
struct PerChannel {
  const T* values;
  T otherwise;

  PADE_HD T operator[](int64_t channel) const { return values ? values[channel] : otherwise; }
};

/// y of x.
template <class T>
struct Normalise {
  T center, scale, shift;

  PADE_HD Normalise(double mean, double inverse, T gamma, T beta)
      : center(static_cast<T>(mean)),
        scale(static_cast<T>(gamma * inverse)),
        // What the rounding of the mean left over belongs to the shift.
        shift(static_cast<T>(beta + (center - mean) * scale)) {}

  PADE_HD T operator()(T x) const { return (x - center) * scale + shift; }
};

/// dx of dy and x; `share` is 1/count, or 0 where mean and inverse do not depend on x.
template <class T>
struct Backward {
  T factor, center, by_x, constant;

  PADE_HD Backward(double mean, double inverse, T gamma, double dgamma, double dbeta,
                   double share) {
    const double scale = gamma * inverse;
    factor = static_cast<T>(scale);
    center = static_cast<T>(mean);
    by_x = static_cast<T>(scale * inverse * dgamma * share);
    constant = static_cast<T>(scale * dbeta * share);
  }

  PADE_HD T operator()(T dy, T x) const { return factor * dy - by_x * (x - center) - constant; }
};

}  // namespace pade::norm
