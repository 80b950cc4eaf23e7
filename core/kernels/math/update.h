#pragma once

#include <cmath>

#include <pade/core/kernels/math/host_device.h>

/// The optimisers' formulas. An update says what to do with one parameter; a step is the same in
/// the precision T of its elements, and does it to one of them, whose kSlots numbers it remembers,
/// and, if it kTakesScale, whose step_scale it may be given.
namespace pade {

/// g = gradient + weight_decay · p;  buffer = momentum · buffer + g;
/// p −= lr · (nesterov ? g + momentum · buffer : buffer).
struct SgdUpdate {
  double lr, momentum, weight_decay;
  bool nesterov;
  bool operator==(const SgdUpdate&) const = default;
};

/// Without momentum, and so without a buffer: p −= lr · g.
template <class T>
struct SgdStep {
  static constexpr int kSlots = 0;
  static constexpr bool kTakesScale = false;
  T lr, weight_decay;

  SgdStep() = default;
  explicit SgdStep(const SgdUpdate& update)
      : lr(static_cast<T>(update.lr)), weight_decay(static_cast<T>(update.weight_decay)) {}

  PADE_HD void operator()(T& p, T gradient) const { p -= lr * (gradient + weight_decay * p); }
};

template <class T>
struct MomentumStep {
  static constexpr int kSlots = 1;
  static constexpr bool kTakesScale = false;
  T lr, momentum, weight_decay;
  bool nesterov;

  MomentumStep() = default;
  explicit MomentumStep(const SgdUpdate& update)
      : lr(static_cast<T>(update.lr)),
        momentum(static_cast<T>(update.momentum)),
        weight_decay(static_cast<T>(update.weight_decay)),
        nesterov(update.nesterov) {}

  PADE_HD void operator()(T& p, T gradient, T& buffer) const {
    const T g = gradient + weight_decay * p;
    buffer = momentum * buffer + g;
    p -= lr * (nesterov ? g + momentum * buffer : buffer);
  }
};

/// first = β₁ first + (1 − β₁) g and second = β₂ second + (1 − β₂) g²;
/// p −= step_scale · lr · (first / (1 − β₁ᵗ)) / (√(second / (1 − β₂ᵗ)) + eps), t being `step`.
/// The decay is added to g, or, if decoupled, taken off p by itself: p −= lr · weight_decay · p.
struct AdamUpdate {
  double lr, beta1, beta2, eps, weight_decay;
  double step;  ///< from 1
  bool decoupled;
  bool operator==(const AdamUpdate&) const = default;
};

template <class T>
struct AdamStep {
  static constexpr int kSlots = 2;
  static constexpr bool kTakesScale = true;
  T rate, root_scale;  // with the corrections for averages that started from zero
  T eps, beta1, beta2, rest1, rest2, coupled_decay, shrinkage;

  AdamStep() = default;
  explicit AdamStep(const AdamUpdate& update)
      : rate(static_cast<T>(update.lr / (1 - std::pow(update.beta1, update.step)))),
        root_scale(static_cast<T>(1 / std::sqrt(1 - std::pow(update.beta2, update.step)))),
        eps(static_cast<T>(update.eps)),
        beta1(static_cast<T>(update.beta1)),
        beta2(static_cast<T>(update.beta2)),
        rest1(static_cast<T>(1 - update.beta1)),
        rest2(static_cast<T>(1 - update.beta2)),
        coupled_decay(static_cast<T>(update.decoupled ? 0 : update.weight_decay)),
        shrinkage(static_cast<T>(update.decoupled ? update.lr * update.weight_decay : 0)) {}

  PADE_HD void operator()(T& p, T gradient, T& first, T& second, T step_scale = 1) const {
    const T g = gradient + coupled_decay * p;
    first = beta1 * first + rest1 * g;
    second = beta2 * second + rest2 * g * g;
    p -= shrinkage * p + step_scale * (rate * first / (std::sqrt(second) * root_scale + eps));
  }
};

}  // namespace pade
