#pragma once

#include <pade/core/tensor.h>

/// Updates of one parameter, in one pass over it. All tensors have its shape and dtype.
namespace pade {

/// g = gradient + weight_decay · p;  buffer = momentum · buffer + g;
/// p −= lr · (nesterov ? g + momentum · buffer : buffer).
struct SgdUpdate {
  double lr, momentum, weight_decay;
  bool nesterov;
};

/// first = β₁ first + (1 − β₁) g and second = β₂ second + (1 − β₂) g²;
/// p −= lr · (first / correction1) / (√(second / correction2) + eps), where correction = 1 − βᵗ.
/// The decay is added to g, or, if decoupled, taken off p first: p −= lr · weight_decay · p.
struct AdamUpdate {
  double lr, beta1, beta2, eps, weight_decay;
  double correction1, correction2;
  bool decoupled;
};

namespace cpu {

/// Without momentum `buffer` is undefined.
void sgd_update(const SgdUpdate& update, Tensor& p, const Tensor& gradient, Tensor buffer);
void adam_update(const AdamUpdate& update, Tensor& p, const Tensor& gradient, Tensor& first,
                 Tensor& second);

}  // namespace cpu
}  // namespace pade
