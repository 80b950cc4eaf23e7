#pragma once

#include <cmath>
#include <cstdint>

#include <pade/core/kernels/math/host_device.h>

/// The formulas of cross_entropy.h, once the sums over a line are known. `top` is its largest
/// value, by which every x is shifted.
namespace pade {

/// log Σ exp(x) − Σ t·x of a row: t is 1 − ε at the label plus ε/K everywhere. `sum_exp` is
/// Σ exp(x − top), `at_label` the label's x − top, and `sum` is Σ (x − top), only used for ε > 0.
PADE_HD double cross_entropy_of_row(double sum_exp, double at_label, double sum, int64_t classes,
                                    double smoothing) {
  const double loss = std::log(sum_exp) - (1 - smoothing) * at_label;
  return smoothing > 0 ? loss - smoothing / static_cast<double>(classes) * sum : loss;
}

/// dx of softmax, with mean = Σ y·dy.
template <class T>
PADE_HD T softmax_gradient(T y, T dy, T mean) {
  return y * (dy - mean);
}

/// dx of log_softmax, with total = Σ dy.
template <class T>
PADE_HD T log_softmax_gradient(T y, T dy, T total) {
  return dy - std::exp(y) * total;
}

}  // namespace pade
