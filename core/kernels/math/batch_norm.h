#pragma once

#include <cmath>
#include <cstdint>

#include <pade/core/kernels/math/host_device.h>
#include <pade/core/kernels/problems.h>
#include <pade/core/tensor.h>

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
struct DistanceTerms {
  PADE_HD TwoSums operator()(double center, double x) const {
    const double distance = x - center;
    return {distance, distance * distance};
  }
};

/// Where a channel's sums of DistanceTerms end up.
template <class T>
struct StatisticsOutput {
  double count, momentum, eps;
  double *mean, *inverse;
  T *running_mean, *running_var;  // null where there are none

  StatisticsOutput(const BatchNormProblem& p, Tensor& to_mean, Tensor& to_inverse,
                   Tensor& to_running_mean, Tensor& to_running_var)
      : count(static_cast<double>(p.count())),
        momentum(p.momentum),
        eps(p.eps),
        mean(to_mean.mutable_address<double>()),
        inverse(to_inverse.mutable_address<double>()),
        running_mean(to_running_mean.defined() ? to_running_mean.mutable_address<T>() : nullptr),
        running_var(to_running_var.defined() ? to_running_var.mutable_address<T>() : nullptr) {}

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

/// What the gradients of gamma and beta are made of, where `center` is the mean.
struct GradientTerms {
  PADE_HD TwoSums operator()(double center, double x, double dy) const {
    return {dy * (x - center), dy};
  }
};

/// Where a channel's sums of GradientTerms end up.
template <class T>
struct GradientOutput {
  const double* inverse;
  double *of_gamma, *of_beta;
  T *dgamma, *dbeta;

  GradientOutput(const BatchNormProblem& p, const Tensor& of_inverse, Tensor& sums,
                 Tensor& to_dgamma, Tensor& to_dbeta)
      : inverse(of_inverse.address<double>()),
        of_gamma(sums.mutable_address<double>()),
        of_beta(of_gamma + p.channels),
        dgamma(to_dgamma.mutable_address<T>()),
        dbeta(to_dbeta.mutable_address<T>()) {}

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

  PerChannel(const Tensor& tensor, T value)
      : values(tensor.defined() ? tensor.address<T>() : nullptr), otherwise(value) {}

  PADE_HD T operator[](int64_t channel) const { return values ? values[channel] : otherwise; }
};

/// y of x.
template <class T>
struct Normalise {
  T center, scale, shift;

  PADE_HD T operator()(T x) const { return (x - center) * scale + shift; }
};

/// That of each channel.
template <class T>
struct NormaliseOf {
  const double *mean, *inverse;
  PerChannel<T> gamma, beta;

  NormaliseOf(const Tensor& means, const Tensor& inverses, const Tensor& gammas,
              const Tensor& betas)
      : mean(means.address<double>()),
        inverse(inverses.address<double>()),
        gamma(gammas, 1),
        beta(betas, 0) {}

  PADE_HD Normalise<T> operator()(int64_t c) const {
    const T center = static_cast<T>(mean[c]), scale = static_cast<T>(gamma[c] * inverse[c]);
    // What the rounding of the mean left over belongs to the shift.
    return {center, scale, static_cast<T>(beta[c] + (center - mean[c]) * scale)};
  }
};

/// dx of dy and x.
template <class T>
struct Backward {
  T factor, center, by_x, constant;

  PADE_HD T operator()(T dy, T x) const { return factor * dy - by_x * (x - center) - constant; }
};

/// That of each channel.
template <class T>
struct BackwardOf {
  const double *mean, *inverse, *of_gamma, *of_beta;
  PerChannel<T> gamma;
  double share;

  BackwardOf(const BatchNormProblem& p, const Tensor& means, const Tensor& inverses,
             const Tensor& gammas, const Tensor& sums)
      : mean(means.address<double>()),
        inverse(inverses.address<double>()),
        of_gamma(sums.address<double>()),
        of_beta(of_gamma + p.channels),
        gamma(gammas, 1),
        share(p.share()) {}

  PADE_HD Backward<T> operator()(int64_t c) const {
    const double scale = gamma[c] * inverse[c];
    return {static_cast<T>(scale), static_cast<T>(mean[c]),
            static_cast<T>(scale * inverse[c] * of_gamma[c] * share),
            static_cast<T>(scale * of_beta[c] * share)};
  }
};

}  // namespace pade::norm
